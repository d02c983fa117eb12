import process from 'node:process'
import { readConfig } from '../../src/gateway/config.ts'
import { describeEntities } from '../../src/gateway/runtimes.ts'
import { createTransport } from '../../src/runtime-adapters/kafka/create-transport.ts'
import { createStateflowDialect } from '../../src/runtime-adapters/stateflow/dialect.ts'
import { createTally, type Load } from '../load.ts'
import { answerParent } from '../parent-channel.ts'
import { prepareRecords } from '../prepared-records.ts'

/**
 * The floor of the log: one Kafka client's round trip, without HTTP, validation and dialect. A call sends a record that
 * was made beforehand and waits for the reply that names it.
 */

const DRAIN_TIMEOUT_MS = 5_000

const { config } = readConfig({ env: process.env, argv: [] })
const { entities } = await describeEntities(config)
const dialect = createStateflowDialect({ ...config.stateflow, entities })
const nextCall = prepareRecords(dialect, entities)
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
  open(inFlight) {
    load = openKafkaLoad(Number(inFlight))
  },
  reset: () => load?.reset(),
  take: () => load?.take(),
  close: () => load?.close(),
})

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
    const { id, record } = nextCall()
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
