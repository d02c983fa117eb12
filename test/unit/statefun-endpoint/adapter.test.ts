import { afterEach, describe, expect, it } from 'vitest'
import type { Invocation, Outcome, StrayReplies } from '../../../src/runtime-adapters/contract.ts'
import type { KafkaDialect } from '../../../src/runtime-adapters/kafka/dialect.ts'
import { createEndpointAdapter } from '../../../src/runtime-adapters/statefun-endpoint/adapter.ts'
import {
  createMemoryEngineStore,
  type EngineStore,
} from '../../../src/runtime-adapters/statefun-endpoint/engine-store.ts'
import { SqliteEngineStore } from '../../../src/runtime-adapters/statefun-endpoint/sqlite-engine-store.ts'
import { silentLog } from '../../conformance/embedded-runtime.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'
import { everything } from '../../helpers/scripted-app.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'
import { until } from '../../helpers/until.ts'
import { startEndpoint } from './engine-lab.ts'
import { type Answer, type Behaviour, done, egress, fails, text, texts } from './scripted-endpoint.ts'

const [thing] = compiledEntities({ name: 'Thing', methods: [{ name: 'go', params: [] }] })
const go = thing?.methods.get('go')

/** Requests are the call's id; replies carry it in their key. */
const dialect: KafkaDialect = {
  name: 'plain',
  capabilities: everything,
  topics: { requests: ['ask', 'dispatch'], replies: ['replies'] },
  encode: ({ id, target }) => ({
    topic: target.kind === 'call' && target.key === 'dispatched' ? 'dispatch' : 'ask',
    key: Buffer.from(target.kind === 'call' && target.key === 'dispatched' ? id : 'k'),
    value: Buffer.from(
      target.kind === 'call' && target.key === 'dispatched'
        ? JSON.stringify({ function: 'test/g', id: 'x', type: 'test/text', text: `${id} "ü"` })
        : id,
    ),
  }),
  correlationOf: ({ key }) => key.toString(),
  decode: ({ value }): Outcome => ({ kind: 'returned', value: value.toString() }),
  ping: (id) => ({ topic: 'dispatch', key: Buffer.from(id), value: Buffer.from('{"ping":true}') }),
  isPong: ({ value }) => value.includes('"pong":true'),
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function startAdapter(
  behaviour: Behaviour,
  options: { readonly store?: EngineStore; readonly strays?: StrayReplies; readonly callTimeoutMs?: number } = {},
) {
  const endpoint = await startEndpoint(behaviour)
  const { store = createMemoryEngineStore(), strays, callTimeoutMs = 2_000 } = options
  const adapter = createEndpointAdapter({
    dialect,
    ingress: new Map([
      ['ask', { functionType: 'test/f', valueType: 'test/text' }],
      ['dispatch', { functionType: 'gateway/dispatch', valueType: 'gateway/request' }],
    ]),
    endpoints: [{ functions: 'test/*', urlPathTemplate: endpoint.url }],
    store,
    ...{ maxBatch: 100, callTimeoutMs, strays, log: silentLog },
    engine: { maxConcurrent: 8, maxQueued: 100, maxQueuedBytes: 1_000_000, drainMs: 50 },
    pending: { maxCalls: 100, maxBytes: 1_000_000 },
  })
  await adapter.start()
  closing.push(() => adapter.close())
  return { adapter, endpoint }
}

let serial = 0
function call(key = 'k', withinMs = 10_000): Invocation {
  if (thing === undefined || go === undefined) throw new Error('no method')
  const id = `00000000-0000-4000-8000-${String(serial++).padStart(12, '0')}`
  const target = { kind: 'call', entity: thing, key, method: go } as const
  return { id, target, args: {}, deadline: Date.now() + withinMs, context: {} }
}

const answering: Behaviour = (batch) =>
  done({ outgoingEgresses: texts(batch).map((id) => egress(id.slice(0, 36), `to ${id}`)) })

describe('a call through the engine', () => {
  it('is accepted, and has the answer that carries its id', async () => {
    const { adapter } = await startAdapter(answering)
    const accepted: string[] = []
    const invocation = call()
    const outcome = await adapter.invoke({ ...invocation, onAccepted: () => accepted.push(invocation.id) })
    expect(outcome).toEqual({ kind: 'returned', value: `to ${invocation.id}` })
    expect(accepted).toEqual([invocation.id])
  })

  it('is told of its failure at once, long before its deadline', async () => {
    const { adapter } = await startAdapter(() => fails(500), { callTimeoutMs: 100 })
    expect(await adapter.invoke(call('k', 60_000))).toMatchObject({ kind: 'raised', name: 'FunctionFailed' })
  })

  it('knows nothing at its deadline; the answer that comes later is a stray', async () => {
    const gate = Promise.withResolvers<void>()
    const late: [string, Outcome][] = []
    const strays: StrayReplies = { late: ({ id }, outcome) => late.push([id, outcome]), foreign() {} }
    const { adapter } = await startAdapter(
      async (batch) => {
        await gate.promise
        return answering(batch)
      },
      { strays, callTimeoutMs: 10_000 },
    )
    const invocation = call('k', 30)
    expect(await adapter.invoke(invocation)).toMatchObject({ kind: 'unknown', cause: 'deadline' })
    gate.resolve()
    await until('the answer', () => late.length === 1)
    expect(late).toEqual([[invocation.id, { kind: 'returned', value: `to ${invocation.id}` }]])
  })

  it('that an earlier process had accepted is answered to whoever keeps it now', async () => {
    const folder = createTemporaryFolder()
    closing.push(async () => folder.close())
    const first = await startAdapter(() => new Promise<Answer>(() => undefined), {
      store: new SqliteEngineStore({ folder: folder.path }),
    })
    const invocation = call()
    const lost = first.adapter.invoke(invocation)
    await until('the request', () => first.endpoint.batches.length === 1)
    await first.adapter.close()
    expect(await lost).toMatchObject({ kind: 'unknown', cause: 'shutting-down' })
    const foreign: [string, Outcome | undefined][] = []
    const strays: StrayReplies = { late() {}, foreign: (id, read) => foreign.push([id, read(invocation)]) }
    await startAdapter(answering, { store: new SqliteEngineStore({ folder: folder.path }), strays })
    await until('the answer', () => foreign.length === 1)
    expect(foreign).toEqual([[invocation.id, { kind: 'returned', value: `to ${invocation.id}` }]])
  })
})

describe('gateway/dispatch', () => {
  it('is the caller of a function, and takes what it answers', async () => {
    const { adapter, endpoint } = await startAdapter((batch) =>
      done({
        outgoingMessages: batch.invocations.map(({ caller, argument }) => ({
          target: caller,
          argument: text(`answer to ${Buffer.from(argument.value).toString()}`),
        })),
      }),
    )
    const invocation = call('dispatched')
    const outcome = await adapter.invoke(invocation)
    expect(endpoint.batches[0]).toMatchObject({
      target: { namespace: 'test', type: 'g', id: 'x' },
      invocations: [{ caller: { namespace: 'gateway', type: 'dispatch', id: invocation.id } }],
    })
    expect(outcome.kind).toBe('returned')
    expect(JSON.parse(String(outcome.kind === 'returned' ? outcome.value : ''))).toEqual({
      correlation_id: invocation.id,
      function: 'test/g',
      id: 'x',
      type: 'test/text',
      text: `answer to ${invocation.id} "ü"`,
    })
  })

  it('passes on bytes that are no text, and says when there are none', async () => {
    const values = [Buffer.from([0xff, 0]), undefined]
    const { adapter } = await startAdapter((batch) => {
      const value = values.shift()
      const argument = { typename: 'test/raw', hasValue: value !== undefined, value: value ?? Buffer.alloc(0) }
      return done({ outgoingMessages: [{ target: batch.invocations[0]?.caller ?? null, argument }] })
    })
    const [first, second] = [await adapter.invoke(call('dispatched')), await adapter.invoke(call('dispatched'))]
    expect(first).toMatchObject({ value: expect.stringContaining('"base64":"/wA="') })
    expect(second).toMatchObject({
      value: expect.stringContaining('"problem":"The function answered without a value."'),
    })
  })

  it('answers pings itself', async () => {
    const { adapter, endpoint } = await startAdapter(answering)
    expect(await adapter.health()).toMatchObject([
      { name: 'store', ok: true },
      { name: expect.stringContaining('endpoint 127.0.0.1:'), ok: true },
      { name: 'plain runtime', ok: true },
    ])
    expect(endpoint.batches).toEqual([])
  })
})

describe('the adapter’s health', () => {
  it('names an endpoint that takes no connections', async () => {
    const { adapter, endpoint } = await startAdapter(answering)
    await endpoint.close()
    const checks = await adapter.health()
    expect(checks.find(({ ok }) => !ok)?.name).toMatch(/^endpoint 127\.0\.0\.1:\d+$/)
  })
})
