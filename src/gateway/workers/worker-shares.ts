import type { ReplicaShare } from '../../runtime-adapters/contract.ts'
import type { Config } from '../config.ts'
import { shareOf } from '../replica-share.ts'
import type { SeatFacts } from './seat-facts.ts'

type Place = Pick<SeatFacts, 'number' | 'count'>

/** Replica `i/n` with `W` workers is `W` replicas of `n × W`. Without `GATEWAY_REPLICA` the container is the only one. */
export function configOfWorker(config: Config, place: Place): Config {
  if (config.replica === undefined && !readsOwn(config)) return config
  const { index, count } = workerShare(config, place)
  return { ...config, replica: `${index}/${count}` }
}

/** The shares of other containers' workers, as far as one can know: they have as many. */
export function sharesElsewhere(config: Config, place: Place): readonly ReplicaShare[] {
  const { index: own, count } = shareOf(config) ?? { index: 0, count: 1 }
  const all = Array.from({ length: count * place.count }, (_, index) => ({ index, count: count * place.count }))
  return all.filter(({ index }) => Math.floor(index / place.count) !== own)
}

function workerShare(config: Config, { number, count: workers }: Place): ReplicaShare {
  const { index, count } = shareOf(config) ?? { index: 0, count: 1 }
  return { index: index * workers + number - 1, count: count * workers }
}

function readsOwn({ kafka, runtimes = {} }: Config): boolean {
  return [kafka, ...Object.values(runtimes).map((one) => one.kafka)].some((one) => one?.replyPartitions === 'own')
}
