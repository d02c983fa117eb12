import fastify from 'fastify'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { createRegistry } from '../../src/entity-registry/registry.ts'
import { createMemoryStore } from '../../src/gateway/invocations/memory-store.ts'
import { createSteadyStore } from '../../src/gateway/invocations/steady-store.ts'
import { createStrayKeeper } from '../../src/gateway/invocations/stray-keeper.ts'
import { createAnswering } from '../../src/routes/answering.ts'
import { withCheckedAnswers } from '../../src/routes/checked-answers.ts'
import { registerEntityRoutes } from '../../src/routes/entity-routes.ts'
import { answerFailures } from '../../src/routes/failures.ts'
import { acceptJsonBodies } from '../../src/routes/json-body.ts'
import type { KafkaDialect } from '../../src/runtime-adapters/kafka/dialect.ts'
import { createKafkaAdapter } from '../../src/runtime-adapters/kafka/kafka-adapter.ts'
import type { KafkaTransport, ReceivedRecord } from '../../src/runtime-adapters/kafka/transport.ts'
import { everything } from '../helpers/scripted-app.ts'
import { installVirtualTime } from '../simulation/virtual-time.ts'

/** Measures the heap of calls that wait or time out, and prints what it found. Needs `--expose-gc`. */

const CAPABILITIES = everything
const [account] = compileEntities([
  {
    file: 'memory.json',
    document: {
      formatVersion: 1,
      application: 'memory',
      entities: [
        {
          name: 'Account',
          key: { name: 'id', schema: { type: 'string' } },
          methods: [{ name: 'add', params: [{ name: 'text', schema: { type: 'string' } }], returns: {} }],
        },
      ],
    },
  },
])
const add = account?.methods.get('add')
if (account === undefined || add === undefined) throw new Error('the measurement’s own metadata is broken')
const entity = account
const target = { kind: 'call', entity, key: 'some-key', method: add } as const

/** Requests are `id text`, replies the id alone. */
const dialect: KafkaDialect = {
  name: 'plain',
  capabilities: CAPABILITIES,
  topics: { requests: ['ask'], replies: ['answer'] },
  encode: ({ id, args }) => ({ topic: 'ask', key: Buffer.from('k'), value: Buffer.from(`${id} ${args.text}`) }),
  correlationOf: ({ value }) => value.toString('latin1'),
  decode: () => ({ kind: 'returned', value: 'done' }),
  ping: undefined,
  isPong: () => false,
}

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }
const lifetimeMs = 60_000

/** The gateway without its HTTP, before a runtime that takes everything and says nothing by itself. */
async function assemble(maxCalls: number) {
  let deliver: (record: ReceivedRecord) => void = silent
  const transport: KafkaTransport = {
    name: 'silent',
    async start({ onRecord }) {
      deliver = onRecord
    },
    send: async () => ({ kind: 'acknowledged' }),
    health: async () => ({ ok: true, detail: '' }),
    close: async () => undefined,
  }
  const store = createSteadyStore(createMemoryStore({ retentionMs: lifetimeMs, maxRecords: 100_000 }))
  const strays = createStrayKeeper({ store, replica: 'aaaaaa', log })
  const limits = { maxCalls, maxBytes: 64 * 1_048_576 }
  const adapter = createKafkaAdapter({ dialect, transport, limits, log, strays })
  const answering = createAnswering({
    ...{ invoke: withCheckedAnswers(adapter.invoke), store, replica: 'aaaaaa', lifetimeMs },
  })
  await store.start()
  await adapter.start()
  const reply = (id: string): void =>
    deliver({
      ...{ topic: 'answer', partition: 0, offset: 0n, key: Buffer.alloc(0) },
      value: Buffer.from(id),
    })
  const close = async (): Promise<void> => {
    await adapter.close()
    await strays.close()
    await store.close()
  }
  return { answering, adapter, store, reply, close }
}

function heapBytes(): number {
  for (let turn = 0; turn < 4; turn++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Calls accepted with 202 over HTTP’s whole way, of which none is answered. */
async function measurePending(calls: number): Promise<object> {
  const { answering, adapter, reply, close } = await assemble(calls)
  let next = 0
  const idOf = (index: number): string => `${String(index).padStart(8, '0')}-0000-4000-8000-000000aaaaaa`
  const app = fastify({ genReqId: () => idOf(next++) })
  answerFailures(app, createRegistry([entity]))
  acceptJsonBodies(app)
  registerEntityRoutes(app, {
    ...{ entities: [entity], capabilitiesOf: () => CAPABILITIES, answering, principalOf: () => '' },
    ...{ defaultDeadlineMs: 10_000, maxWaitMs: 60_000 },
  })
  const ask = async (): Promise<void> => {
    const response = await app.inject({
      method: 'POST',
      url: '/account/some-key/add',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      payload: JSON.stringify({ text: `an argument of an ordinary length, ${next}` }),
    })
    if (response.statusCode !== 202) throw new Error(`${response.statusCode} ${response.body}`)
  }
  for (let warm = 0; warm < 500; warm++) {
    await ask()
    reply(idOf(warm))
  }
  const idle = heapBytes()
  for (let count = 0; count < calls; count++) await ask()
  const { pending } = adapter.counters()
  const grownBytes = heapBytes() - idle
  await app.close()
  await close()
  return { pending, grownBytes }
}

/** Calls whose callers are told 504, and whose answers are kept a place for: on a clock of its own. */
async function measureTimedOut(calls: number): Promise<object> {
  const perTick = 100
  const tickMs = 10
  const time = installVirtualTime()
  const { answering, adapter, close } = await assemble(20_000)
  let asked = 0
  let timedOut = 0
  const ask = async (): Promise<void> => {
    const id = `${String(asked++).padStart(8, '0')}-0000-4000-8000-000000aaaaaa`
    const invocation = {
      ...{ id, target, context: {} },
      ...{ args: { text: 'x'.repeat(200) }, deadline: Date.now() + 1_000 },
    }
    const preferences = { respondAsync: false, waitSeconds: undefined, minimal: false, strict: false, unknown: [] }
    await answering.answer({ invocation, preferences, idempotencyKey: undefined, principal: '' }).then(
      () => undefined,
      () => timedOut++,
    )
  }
  let goal = 0
  let elapsedMs = 0
  const tick = (): void => {
    for (let count = 0; count < perTick && asked < goal; count++) void ask()
    if (asked < goal) time.at(tickMs, tick)
  }
  const runUntil = async (total: number, thenMs: number): Promise<number> => {
    goal = total
    time.at(0, tick)
    elapsedMs += ((total - asked) / perTick) * tickMs + thenMs
    await time.run(elapsedMs)
    return heapBytes()
  }
  const afterBeginning = await runUntil(calls / 10, 3 * lifetimeMs)
  const afterAll = await runUntil(calls, 3 * lifetimeMs)
  const { pending } = adapter.counters()
  await close()
  time.uninstall()
  return { timedOut, pending, grownBytes: afterAll - afterBeginning }
}

Error.stackTraceLimit = 0
const [what, count = '0'] = process.argv.slice(2)
console.log(JSON.stringify(await (what === 'pending' ? measurePending(Number(count)) : measureTimedOut(Number(count)))))
