import type { ContenderKind } from './contender.ts'
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
const JVM_WARM_UP_MS = 20_000

const floors: readonly ContenderKind[] = [
  { name: 'echo', usesKafka: false, floor: undefined, start: startEcho },
  { name: 'embedded', usesKafka: false, floor: undefined, start: startEmbedded(overHttp()) },
  { name: 'embedded-batch', usesKafka: false, floor: 'embedded', levels: 'highest', start: startEmbedded(overBatch) },
  { name: 'raw-endpoint', usesKafka: false, floor: undefined, start: startRawEndpoint },
  { name: 'statefun-endpoint', usesKafka: false, floor: 'raw-endpoint', start: startStatefunEndpoint },
]

const perClient: readonly ContenderKind[] = ['platformatic', 'kafkajs'].flatMap((client): ContenderKind[] => {
  const batch = startGateway(client, { reach: overBatch })
  return [
    { name: `raw-${client}`, usesKafka: true, floor: undefined, start: startRawKafka(client) },
    { name: `gateway-${client}`, usesKafka: true, floor: `raw-${client}`, start: startGateway(client) },
    { name: `batch-${client}`, usesKafka: true, floor: `gateway-${client}`, levels: 'highest', start: batch },
  ]
})

/** The gateway in another dialect, or with something switched on that is off by default. */
const variants: readonly ContenderKind[] = [
  {
    ...{ name: 'gateway-pickle', usesKafka: true, convention: 'stateflow-pickle', floor: 'gateway-platformatic' },
    start: startGateway('platformatic', { env: { STATEFLOW_SERIALIZER: 'pickle' } }),
  },
  {
    ...{ name: 'gateway-statefun', usesKafka: true, convention: 'statefun-json', floor: 'gateway-platformatic' },
    start: startStatefunGateway,
  },
  {
    ...{ name: 'gateway-tracing', usesKafka: true, floor: 'gateway-platformatic', levels: 'loaded' },
    start: startGateway('platformatic', { env: { BENCH_TRACING: '1' } }),
  },
  {
    ...{ name: 'gateway-tracing-tenth', usesKafka: true, floor: 'gateway-platformatic', levels: 'loaded' },
    start: startGateway('platformatic', { env: { BENCH_TRACING: '0.1' } }),
  },
  {
    ...{ name: 'gateway-access-log', usesKafka: true, floor: 'gateway-platformatic', levels: 'loaded' },
    start: startGateway('platformatic', { env: { LOG_REQUESTS: 'true' } }),
  },
  {
    ...{ name: 'gateway-jwt', usesKafka: true, floor: 'gateway-platformatic', levels: 'loaded' },
    start: startJwtGateway,
  },
]

const minimal: ContenderKind = {
  ...{ name: 'minimal', usesKafka: true, convention: 'minimal', floor: 'raw-platformatic' },
  start: startMinimal,
}

const peer = { usesKafka: true, floor: undefined, isPeer: true } as const

const peers: readonly ContenderKind[] = [
  { name: 'nest', ...peer, convention: 'nest', start: startNest },
  { name: 'spring', ...peer, convention: 'spring', firstWarmUpMs: JVM_WARM_UP_MS, start: startSpring },
  { name: 'kafka-hooks', ...peer, convention: 'kafka-hooks', start: startKafkaHooks },
  { name: 'restate', ...peer, usesKafka: false, start: startRestate },
  {
    ...{ name: 'fastapi', ...peer, convention: 'stateflow-pickle-later', levels: 'highest', start: startFastapi },
    topics: { requestTopic: 'client_request', replyTopic: 'client_reply' },
  },
  { name: 'zilla', ...peer, convention: 'zilla', firstWarmUpMs: JVM_WARM_UP_MS, start: startZilla },
]

/** Everything that runs against each other, floors first. */
export const contenderKinds: readonly ContenderKind[] = [...floors, ...perClient, minimal, ...variants, ...peers]
