import { expect, it } from 'vitest'
import { fromFunction } from '../../../src/runtime-adapters/statefun/protobuf.ts'
import { addressOf } from '../../../src/runtime-adapters/statefun-endpoint/message.ts'
import { until } from '../../helpers/until.ts'
import { labAt, startEndpoint } from './engine-lab.ts'
import { raw } from './scripted-endpoint.ts'

/** As Apache's SDK for JavaScript, 3.3.0, was seen to send and take them. */
const golden = {
  request:
    'a206650a0f0a0473686f701204757365721a01611a5212500a0c73686f702f7265717565737410011a3e7b22636f7272656c6174696f6e5f6964223a226331222c226d6574686f64223a22637265617465222c2261726773223a7b2262616c616e6365223a357d7d',
  missing: 'aa061a0a180a0573746174651a0f73686f702f757365725f7374617465',
  /** The same request with the name of an empty state: its fields stand between target and messages. */
  emptyState: '12070a057374617465',
  expiring: 'aa06280a260a05636f756e741206080110e0d4031a15696f2e737461746566756e2e74797065732f696e74',
} as const

it('speaks the recorded bytes: a first request, and the same with the state that was missing', async () => {
  const answers = [Buffer.from(golden.missing, 'hex'), Buffer.alloc(0)]
  const endpoint = await startEndpoint(() => {
    const bytes = answers.shift()
    return raw((response) => response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes))
  })
  const { engine } = labAt(endpoint, { functions: 'shop/user' })
  const value = Buffer.from('{"correlation_id":"c1","method":"create","args":{"balance":5}}')
  await engine.accept({
    target: addressOf('shop/user', 'a'),
    caller: null,
    argument: { typename: 'shop/request', hasValue: true, value },
    origin: undefined,
  })
  await until('both rounds', () => engine.counters().messages === 1)
  const [first = '', second = ''] = endpoint.bodies.map((body) => body.toString('hex'))
  expect(first).toBe(golden.request)
  const inner = golden.request.slice(6)
  const target = inner.slice(0, 34)
  // The length of the batch has grown by the nine bytes of the state: 0x65 + 9 = 0x6e.
  expect(second).toBe(`a2066e${target}${golden.emptyState}${inner.slice(34)}`)
})

it('reads the recorded expiration', () => {
  const { incompleteInvocationContext } = fromFunction.decode(Buffer.from(golden.expiring, 'hex'))
  expect(incompleteInvocationContext?.missingValues[0]).toMatchObject({
    stateName: 'count',
    typeTypename: 'io.statefun.types/int',
    expirationSpec: { mode: 1 },
  })
  expect(Number(incompleteInvocationContext?.missingValues[0]?.expirationSpec?.expireAfterMillis)).toBe(60_000)
})
