import process from 'node:process'
import { readConfig } from '../../src/gateway/config.ts'
import { describeEntities } from '../../src/gateway/runtimes.ts'
import type { Invocation } from '../../src/runtime-adapters/contract.ts'
import { createTransport } from '../../src/runtime-adapters/kafka/create-transport.ts'
import type { KafkaRecord } from '../../src/runtime-adapters/kafka/transport.ts'
import { createStateflowDialect } from '../../src/runtime-adapters/stateflow/dialect.ts'
import { createTally, type Load } from '../load.ts'
import { answerParent } from '../parent-channel.ts'
import { argsOf, KEYS, userOf } from '../work.ts'

/**
 * The floor of the log: one Kafka client's round trip, without HTTP, validation and dialect. The records are those of the
 * gateway, byte for byte, made beforehand; a call writes its id into one and waits for the reply that names it.
 */

const { config } = readConfig({ env: process.env, argv: [] })
const dialect = createStateflowDialect({ ...config.stateflow, entities: await describeEntities(config) })
const records = await prepareRecords()
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const transport = await createTransport(config.kafka, silent)
const waiting = new Map<string, () => void>()

await transport.start({
  requestTopics: dialect.topics.requests,
  replyTopics: dialect.topics.replies,
  onRecord(record) {
    const id = dialect.correlationOf(record)
    if (id !== undefined) waiting.get(id)?.()
  },
})

let load: Load | undefined
answerParent({
  open: (input) => {
    load = openKafkaLoad(Number(input))
  },
  reset: () => load?.reset(),
  take: () => load?.take(),
  close: () => load?.close(),
})

interface Template {
  readonly record: KafkaRecord
  /** Byte of the value at which the id stands. */
  readonly idAt: number
}

const ID_PREFIX = '00000000-0000-4000-8000-'

async function prepareRecords(): Promise<readonly Template[]> {
  const entity = (await describeEntities(config)).find(({ name }) => name === 'User')
  const method = entity?.methods.get('buy_item')
  if (entity === undefined || method === undefined) throw new Error('the metadata has no User.buy_item')
  return Array.from({ length: KEYS }, (_, index) => {
    const id = `${ID_PREFIX}${'0'.repeat(12)}`
    const target = { kind: 'call', entity, key: userOf(index), method } as const
    const invocation: Invocation = { id, target, args: argsOf(index), deadline: 0, context: {} }
    const record = dialect.encode(invocation)
    return { record, idAt: record.value.indexOf(id) }
  })
}

const DRAIN_TIMEOUT_MS = 5_000

function openKafkaLoad(inFlight: number): Load {
  const tally = createTally()
  const drained = Promise.withResolvers<void>()
  let stopping = false
  let lanes = inFlight

  function endLane(): void {
    lanes--
    if (lanes === 0) drained.resolve()
  }

  function start(): void {
    if (stopping) {
      endLane()
      return
    }
    const { id, record } = nextRecord()
    const startedAt = performance.now()
    waiting.set(id, () => {
      waiting.delete(id)
      tally.answered(startedAt)
      start()
    })
    void transport.send(record).then((result) => {
      if (result.kind === 'acknowledged' || !waiting.delete(id)) return
      tally.failed(result.detail)
      endLane()
    })
  }

  for (let lane = 0; lane < inFlight; lane++) start()
  return {
    reset: async () => tally.reset(),
    take: async () => tally.take(),
    async close() {
      stopping = true
      const timer = setTimeout(drained.resolve, DRAIN_TIMEOUT_MS)
      await drained.promise
      clearTimeout(timer)
      waiting.clear()
    },
  }
}

let sent = 0

function nextRecord(): { readonly id: string; readonly record: KafkaRecord } {
  const template = records[sent % records.length]
  if (template === undefined) throw new Error('no records were prepared')
  const id = ID_PREFIX + (++sent).toString(16).padStart(12, '0')
  const value = Buffer.from(template.record.value)
  value.write(id, template.idAt, 'latin1')
  return { id, record: { ...template.record, value } }
}
