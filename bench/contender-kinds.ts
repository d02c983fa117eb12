import type { ContenderGroup, ContenderKind } from './contender.ts'
import { startRawEndpoint, startStatefunEndpoint } from './starters/endpoints.ts'
import { startFastapi } from './starters/fastapi.ts'
import {
  startEmbedded,
  startGateway,
  startJwtGateway,
  startRawKafka,
  startStatefunGateway,
} from './starters/gateway.ts'
import { startKafkaHooks } from './starters/kafka-hooks.ts'
import { startNest } from './starters/nest.ts'
import { overBatch, overHttp, startEcho, startMinimal } from './starters/own.ts'
import { startRestate } from './starters/restate.ts'
import { startSpring } from './starters/spring.ts'
import { startZilla } from './starters/zilla.ts'

/** Milliseconds until a JVM has compiled what is hot. */
const JVM_WARM_UP_MS = 75_000

const echo: ContenderKind = { name: 'echo', usesKafka: false, floor: undefined, start: startEcho }

const embedded: readonly ContenderKind[] = [
  { name: 'embedded', usesKafka: false, floor: undefined, start: startEmbedded(overHttp()) },
  { name: 'embedded-batch', usesKafka: false, floor: 'embedded', levels: 'highest', start: startEmbedded(overBatch) },
]

const endpoints: readonly ContenderKind[] = [
  { name: 'raw-endpoint', usesKafka: false, floor: undefined, start: startRawEndpoint },
  { name: 'statefun-endpoint', usesKafka: false, floor: 'raw-endpoint', start: startStatefunEndpoint },
]

const raw = (name: string): ContenderKind => ({
  ...{ name: `raw-${name}`, usesKafka: true, floor: undefined },
  start: startRawKafka(name),
})

const gateway = (name: string): ContenderKind => ({
  ...{ name: `gateway-${name}`, usesKafka: true, floor: `raw-${name}` },
  start: startGateway(name),
})

const batch = (name: string): ContenderKind => ({
  ...{ name: `batch-${name}`, usesKafka: true, floor: `gateway-${name}`, levels: 'highest' },
  start: startGateway(name, { reach: overBatch }),
})

const platformatic = gateway('platformatic')

const statefun: ContenderKind = {
  ...{ name: 'gateway-statefun', usesKafka: true, convention: 'statefun-json', floor: 'raw-platformatic' },
  start: startStatefunGateway,
}

const pickle: ContenderKind = {
  ...{ name: 'gateway-pickle', usesKafka: true, convention: 'stateflow-pickle', floor: 'gateway-platformatic' },
  start: startGateway('platformatic', { env: { STATEFLOW_SERIALIZER: 'pickle' } }),
}

/** The gateway with something switched on that is off by default. */
const variants: readonly ContenderKind[] = [
  {
    ...{ name: 'gateway-tracing', usesKafka: true, floor: 'gateway-platformatic' },
    start: startGateway('platformatic', { env: { BENCH_TRACING: '1' } }),
  },
  {
    ...{ name: 'gateway-tracing-tenth', usesKafka: true, floor: 'gateway-platformatic' },
    start: startGateway('platformatic', { env: { BENCH_TRACING: '0.1' } }),
  },
  {
    ...{ name: 'gateway-access-log', usesKafka: true, floor: 'gateway-platformatic' },
    start: startGateway('platformatic', { env: { LOG_REQUESTS: 'true' } }),
  },
  {
    ...{ name: 'gateway-jwt', usesKafka: true, floor: 'gateway-platformatic' },
    start: startJwtGateway,
  },
]

const minimal: ContenderKind = {
  ...{ name: 'minimal', usesKafka: true, convention: 'minimal', floor: 'raw-platformatic' },
  start: startMinimal,
}

const peer = { usesKafka: true, floor: undefined, isPeer: true } as const

const peers: readonly ContenderKind[] = [
  { name: 'spring', ...peer, convention: 'spring', firstWarmUpMs: JVM_WARM_UP_MS, start: startSpring },
  { name: 'nest', ...peer, convention: 'nest', start: startNest },
  { name: 'kafka-hooks', ...peer, convention: 'kafka-hooks', start: startKafkaHooks },
  { name: 'restate', ...peer, usesKafka: false, start: startRestate },
  { name: 'zilla', ...peer, convention: 'zilla', firstWarmUpMs: JVM_WARM_UP_MS, start: startZilla },
]

const fastapi: ContenderKind = {
  ...{ name: 'fastapi', ...peer, convention: 'stateflow-pickle-later', levels: 'highest', start: startFastapi },
  topics: { requestTopic: 'client_request', replyTopic: 'client_reply' },
}

/**
 * Everything that runs against each other. Many programs that idle take a share of the machine, so groups are no larger than they must
 * be; what several groups are compared with is in each of them.
 */
export const contenderGroups: readonly ContenderGroup[] = [
  [echo, ...embedded, statefun, minimal, platformatic, raw('platformatic')],
  [statefun, ...peers],
  [platformatic, batch('platformatic'), ...variants, raw('kafkajs'), gateway('kafkajs'), batch('kafkajs')],
  [fastapi, pickle],
  endpoints,
]

export const contenderKinds: readonly ContenderKind[] = [...new Set(contenderGroups.flat())]

/** Of those that are wanted, without groups whose programs have all been in an earlier one. */
export function groupsOf(isWanted: (kind: ContenderKind) => boolean): readonly ContenderGroup[] {
  const groups = contenderGroups.map((group) => group.filter(isWanted))
  return groups.filter((group, index) => {
    const earlier = groups.slice(0, index).flat()
    return group.some((kind) => !earlier.includes(kind))
  })
}
