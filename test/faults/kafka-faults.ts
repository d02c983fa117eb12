import { until } from '../helpers/until.ts'
import type { Cluster } from './cluster.ts'
import { type Fault, pause, seconds } from './fault.ts'
import { BROKERS } from './ground.ts'

const everyBroker = Array.from({ length: BROKERS }, (_, index) => index)
const READY_LIMIT_MS = 60_000

export const kafkaFaults: readonly Fault[] = [
  {
    name: 'brokers SIGKILLed and restarted',
    what: 'All three brokers are killed at once, and started again on their data.',
    async inject({ cluster, isQuick }) {
      const begun = Date.now()
      await Promise.all(everyBroker.map((index) => cluster.kafka.kill(index)))
      await pause(isQuick ? 1_000 : 2_000)
      await Promise.all(everyBroker.map((index) => cluster.kafka.restart(index)))
      await untilReady(cluster)
      return `every replica ready again after ${seconds(Date.now() - begun)}`
    },
  },
  {
    name: 'leader change',
    what: 'One broker of three is killed; others take over what it led. Later it is started again.',
    async inject({ cluster, isQuick }) {
      const begun = Date.now()
      await cluster.kafka.kill(0)
      await pause(isQuick ? 3_000 : 8_000)
      const tookMs = Date.now() - begun
      await cluster.kafka.restart(0)
      await untilReady(cluster)
      return `two brokers for ${seconds(tookMs)}`
    },
  },
]

async function untilReady({ replicas }: Cluster): Promise<void> {
  await until(
    'every replica is ready',
    async () => (await Promise.all(replicas.map((replica) => replica.isReady()))).every(Boolean),
    READY_LIMIT_MS,
  )
}
