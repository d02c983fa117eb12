import { randomInt, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { checkDocument } from '../../src/entity-registry/load-metadata.ts'
import type { MetadataDocument } from '../../src/entity-registry/metadata-schema.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { type AdapterName, adapters } from '../../src/runtime-adapters/catalog.ts'
import type { Outcome, RuntimeAdapter } from '../../src/runtime-adapters/contract.ts'
import { type Caller, createCaller } from '../conformance/caller.ts'
import { silentLog } from '../conformance/embedded-runtime.ts'
import type { Kafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { type StatefunCluster, startStatefunCluster } from '../helpers/statefun-cluster.ts'
import { statefunUnavailable } from '../helpers/statefun-jars.ts'
import { type Lab, startLab } from '../helpers/statefun-lab.ts'
import { labMetadata, labModule, labTopics } from '../helpers/statefun-lab-files.ts'
import {
  CANCELLED_MS,
  makeProgram,
  type Place,
  type Program,
  type ProgramCall,
  placeName,
} from '../helpers/statefun-program.ts'
import { until } from '../helpers/until.ts'

/**
 * The engine of `statefun-endpoint` claims to do what a cluster does. Random programs run on both, and whatever a caller or a later
 * call could see must be the same.
 */

/** How many; CI has time for fewer. */
const PROGRAMS = Number(process.env.TEST_PROGRAMS ?? 500)
const AT_ONCE = 40
/** Of one program: it sleeps for less than 10 s in all, and shares the machine with the others. */
const PROGRAM_LIMIT_MS = 60_000

const reason = kafkaUnavailable() ?? statefunUnavailable()

interface Side {
  readonly lab: Lab
  readonly adapter: RuntimeAdapter
  readonly caller: Caller
}

/** All that can be seen of a program. */
interface Observed {
  readonly replies: readonly unknown[]
  readonly states: Readonly<Record<string, unknown>>
}

describe.skipIf(reason !== undefined)(
  `StateFun with and without a cluster${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let kafka: Kafka
    let cluster: StatefunCluster
    let onCluster: Side
    let onEngine: Side
    beforeAll(async () => {
      kafka = await sharedKafka()
      const topics = labTopics(randomUUID().slice(0, 8))
      await kafka.createTopics(...Object.values(topics).map((name) => ({ name, partitions: 2 })))
      onCluster = await startSide('statefun', labMetadata(topics), { lab: await startLab(topics.replies), kafka })
      onEngine = await startSide('statefun-endpoint', labMetadata(topics), {
        lab: await startLab(topics.replies),
        kafka,
      })
      const module = labModule(topics, { brokers: kafka.brokers, url: onCluster.lab.url })
      cluster = await startStatefunCluster({ module })
    }, 600_000)
    afterAll(async () => {
      for (const side of [onCluster, onEngine]) {
        await side?.adapter.close()
        await side?.lab.close()
      }
      await cluster?.close()
      await kafka?.close()
    }, 60_000)

    it(`gives ${PROGRAMS} random programs the same replies and the same end states`, async () => {
      const first = Number(process.env.PROGRAM_SEED ?? randomInt(2 ** 30))
      let next = 0
      const finished: { readonly program: Program; readonly observed: Observed }[] = []
      const worker = async () => {
        while (next < PROGRAMS) {
          const program = makeProgram(first + next++)
          const [expected, found] = await Promise.all([run(program, onCluster.caller), run(program, onEngine.caller)])
          const told = `PROGRAM_SEED=${program.seed}: ${JSON.stringify(program.calls)}`
          expect(found, told).toEqual(expected)
          finished.push({ program, observed: found })
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      const endedAt = Date.now()
      await until('cancelled messages would have come', () => Date.now() > endedAt + CANCELLED_MS, 2 * CANCELLED_MS)
      for (const { program, observed } of finished) {
        for (const { caller } of [onCluster, onEngine]) {
          expect(await statesOf(program, caller), `PROGRAM_SEED=${program.seed}`).toEqual(observed.states)
        }
      }
      expect(await cluster.restarts()).toBe(0)
      // Otherwise nothing of what fails and is tried again has been compared.
      for (const { lab } of [onCluster, onEngine]) expect(lab.failures()).toBeGreaterThan(PROGRAMS / 5)
    }, 240_000)
  },
)

async function startSide(
  name: AdapterName,
  document: (url: string) => MetadataDocument,
  { lab, kafka }: { readonly lab: Lab; readonly kafka: Kafka },
): Promise<Side> {
  const { config } = readConfig({ env: { KAFKA_BROKERS: kafka.brokers.join(',') }, argv: [] })
  const metadata = document(lab.url)
  expect(checkDocument('lab', metadata)).toEqual([])
  const entities = compileEntities([{ file: 'lab', document: metadata }])
  const options = { ...config, limits: { maxCalls: 10_000, maxBytes: 64_000_000 } }
  const adapter = await adapters[name].create(options, { instance: name, entities, log: silentLog })
  await adapter.start()
  return { lab, adapter, caller: createCaller({ adapter, entities, deadlineMs: PROGRAM_LIMIT_MS }) }
}

async function run(program: Program, caller: Caller): Promise<Observed> {
  const replies: unknown[] = []
  for (const call of program.calls) replies.push(await answersTo(call, caller))
  let states = await statesOf(program, caller)
  const haveArrived = () =>
    [...program.arrivals].every(([name, expected]) => Object(states[name]).value?.arrived === expected)
  await until(
    'all messages have arrived',
    async () => {
      if (haveArrived()) return true
      states = await statesOf(program, caller)
      return false
    },
    PROGRAM_LIMIT_MS,
  ).catch(() => undefined)
  return { replies, states }
}

/** What each of its functions reports, by place. */
async function statesOf({ places }: Program, caller: Caller): Promise<Observed['states']> {
  const reports = places.map(async (place) => [
    placeName(place),
    await caller.call(entityOf(place), place.id, 'report'),
  ])
  return Object.fromEntries(await Promise.all(reports))
}

function answersTo(call: ProgramCall, caller: Caller): Promise<readonly Outcome[]> {
  const { id } = call.at
  switch (call.kind) {
    case 'chain': {
      const { steps, stumble } = call
      const args = stumble === undefined ? { steps } : { steps, stumble }
      return Promise.all([caller.call(entityOf(call.at), id, 'run', args)])
    }
    case 'burst':
      return Promise.all(call.adds.map((x) => caller.call(entityOf(call.at), id, 'add', { x })))
  }
}

function entityOf({ side }: Place): string {
  return side === 'left' ? 'Left' : 'Right'
}
