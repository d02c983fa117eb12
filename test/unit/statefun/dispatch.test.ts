import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StateFun } from 'apache-flink-statefun'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { dispatchFunction } from '../../../examples/statefun-typescript/dispatch.ts'
import { createStatefunDialect } from '../../../src/runtime-adapters/statefun/dialect.ts'
import {
  type Address,
  type Effects,
  fromFunction,
  kafkaProducerRecord,
  type StateValue,
  type TypedValue,
  toFunction,
} from '../../../src/runtime-adapters/statefun/protobuf.ts'
import { entitiesWith, found, id, invocationOf, ping, received } from './entities.ts'

/** The dispatch function of the examples, behind the SDK's own handler, with the dialect on the other side. */
const entities = entitiesWith([ping], { correlation: 'dispatch' })
const dialect = createStatefunDialect({ entities })
const user: Address = { namespace: 'shop', type: 'user', id: 'alice' }

let server: Server
beforeAll(async () => {
  const statefun = new StateFun()
  statefun.bind(dispatchFunction({ egress: 'shop/replies', replyTopic: 'sf-replies', maxAnswerBytes: 2_000 }))
  server = createServer(statefun.handler())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

const none: readonly StateValue[] = [{ stateName: 'call', stateValue: null }]

async function tell(
  argument: TypedValue,
  { caller = null, state = none }: { readonly caller?: Address | null; readonly state?: readonly StateValue[] } = {},
): Promise<Effects> {
  const target = { namespace: 'gateway', type: 'dispatch', id }
  const body = toFunction.encode({ invocation: { target, state, invocations: [{ caller, argument }] } })
  // The server listens on a port, so its address is one.
  const { port } = server.address() as AddressInfo
  const headers = { 'content-type': 'application/octet-stream' }
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: Uint8Array.from(body), headers })
  expect(response.status).toBe(200)
  const answer = fromFunction.decode(new Uint8Array(await response.arrayBuffer()))
  if (answer.invocationResult === null) throw new Error('It asks for its state.')
  return answer.invocationResult
}

const request = (value: Buffer | string): TypedValue => ({
  typename: 'gateway/request',
  hasValue: true,
  value: Buffer.from(value),
})
const answered = (value: Buffer | string, typename = 'shop/answer'): TypedValue => ({
  typename,
  hasValue: true,
  value: Buffer.from(value),
})

function sentRecord() {
  const record = dialect.encode(invocationOf(entities, { method: 'ping' }))
  if ('kind' in record) throw new Error(record.detail)
  return record
}

/** What the function keeps of a call, as it kept it. */
async function stateOfCall(): Promise<readonly StateValue[]> {
  const { stateMutations } = await tell(request(sentRecord().value))
  return stateMutations.map(({ stateName, stateValue }) => ({ stateName, stateValue }))
}

function replyIn({ outgoingEgresses }: Effects) {
  const [egress] = outgoingEgresses
  expect([egress?.egressNamespace, egress?.egressType]).toEqual(['shop', 'replies'])
  const { topic, key, valueBytes } = kafkaProducerRecord.decode(found(egress?.argument?.value, 'egress record'))
  expect([topic, key]).toEqual(['sf-replies', id])
  return received(Buffer.from(valueBytes), key)
}

describe('the dispatch function', () => {
  it('asks the function that is meant, with its message as it is, and remembers the call', async () => {
    const { outgoingMessages, stateMutations, outgoingEgresses } = await tell(request(sentRecord().value))
    expect(outgoingMessages).toHaveLength(1)
    expect(outgoingMessages[0]?.target).toMatchObject(user)
    expect(outgoingMessages[0]?.argument?.typename).toBe('shop/request')
    expect(Buffer.from(found(outgoingMessages[0]?.argument?.value, 'value')).toString()).toBe(
      '{"method":"ping","args":{}}',
    )
    expect(stateMutations).toMatchObject([{ mutationType: 1, stateName: 'call' }])
    expect(outgoingEgresses).toEqual([])
  })

  it('writes what is answered to the operator’s topic, every digit of it, and forgets the call', async () => {
    const effects = await tell(answered('{"ok":true,"result":9007199254740993}'), {
      caller: user,
      state: await stateOfCall(),
    })
    expect(effects.stateMutations).toMatchObject([{ mutationType: 0, stateName: 'call' }])
    const record = replyIn(effects)
    expect(dialect.correlationOf(record)).toBe(id)
    expect(dialect.decode(record, invocationOf(entities, { method: 'ping' }))).toEqual({
      kind: 'returned',
      value: 9007199254740993n,
    })
  })

  it('drops an answer that nobody waits for any more', async () => {
    const effects = await tell(answered('{"ok":true}'), { caller: user })
    expect([effects.outgoingEgresses, effects.stateMutations]).toEqual([[], []])
  })

  it('carries bytes that are no text', async () => {
    const bare = entitiesWith([ping], { correlation: 'dispatch', replyEncoding: 'base64' }, { create: 'none' })
    const effects = await tell(answered(Buffer.from([0xff, 0x01])), { caller: user, state: await stateOfCall() })
    const outcome = createStatefunDialect({ entities: bare }).decode(
      replyIn(effects),
      invocationOf(bare, { method: 'ping' }),
    )
    expect(outcome).toEqual({ kind: 'returned', value: '/wE=' })
  })

  it.each([
    [
      'is too large for the topic',
      answered(JSON.stringify({ ok: true, result: 'x'.repeat(3_000) })),
      /more than the reply topic/,
    ],
    ['has no value', { typename: 'shop/answer', hasValue: false, value: Buffer.alloc(0) }, /without a value/],
  ])('says so when an answer %s', async (_name, argument, detail) => {
    const effects = await tell(argument, { caller: user, state: await stateOfCall() })
    const outcome = dialect.decode(replyIn(effects), invocationOf(entities, { method: 'ping' }))
    expect(outcome).toEqual({ kind: 'malformed', detail: expect.stringMatching(detail) })
  })

  it('answers a ping itself', async () => {
    const record = replyIn(await tell(request(found(dialect.ping?.(id).value, 'ping'))))
    expect([dialect.isPong(record), dialect.correlationOf(record)]).toEqual([true, id])
  })

  it.each([
    '',
    'not json',
    'null',
    '5',
    '{}',
    '{"function":"user","id":"a","type":"t/t","text":""}',
    '{"function":"a/b","id":"","type":"t/t"}',
  ])('drops what is no call: %s', async (value) => {
    const logged = vi.spyOn(console, 'error').mockReturnValue()
    const { outgoingMessages, outgoingEgresses } = await tell(request(value))
    expect(logged).toHaveBeenCalledTimes(1)
    logged.mockRestore()
    expect([outgoingMessages, outgoingEgresses]).toEqual([[], []])
  })

  it('forgets a call that nobody answers', async () => {
    const target = { namespace: 'gateway', type: 'dispatch', id }
    const invocations = [{ caller: null, argument: request('{"ping":true}') }]
    const { port } = server.address() as AddressInfo
    const body = Uint8Array.from(toFunction.encode({ invocation: { target, state: [], invocations } }))
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body })
    const { incompleteInvocationContext } = fromFunction.decode(new Uint8Array(await response.arrayBuffer()))
    const [spec] = incompleteInvocationContext?.missingValues ?? []
    expect(spec).toMatchObject({ stateName: 'call', expirationSpec: { mode: 1 } })
    expect(Number(spec?.expirationSpec?.expireAfterMillis)).toBe(600_000)
  })
})
