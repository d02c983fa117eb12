import { afterEach } from 'vitest'
import type { Log, Outcome } from '../../../src/runtime-adapters/contract.ts'
import type { SendResult } from '../../../src/runtime-adapters/kafka/transport.ts'
import {
  createEndpointDirectory,
  type EndpointDefaults,
} from '../../../src/runtime-adapters/statefun-endpoint/endpoint-directory.ts'
import { Engine, type EngineLimits } from '../../../src/runtime-adapters/statefun-endpoint/engine.ts'
import {
  createMemoryEngineStore,
  type EngineStore,
} from '../../../src/runtime-adapters/statefun-endpoint/engine-store.ts'
import { until } from '../../helpers/until.ts'
import { type Behaviour, type ScriptedEndpoint, startScriptedEndpoint } from './scripted-endpoint.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

export interface Lab {
  readonly engine: Engine
  readonly endpoint: ScriptedEndpoint
  /** What came out: `key:value`. */
  readonly egresses: readonly string[]
  /** What calls have come to by their failure, by origin. */
  readonly failures: ReadonlyMap<string, Outcome>
  /** A message from outside to `test/f`; its text is its origin where none is given. */
  send(id: string, value: string, origin?: string): Promise<SendResult>
  /** Polls until so many records have come out. */
  answered(count: number): Promise<readonly string[]>
  failed(origin: string): Promise<Outcome>
}

export interface LabOptions extends Partial<EngineLimits & EndpointDefaults> {
  readonly store?: EngineStore
  /** Where the function `test/gone` is. */
  readonly gone?: string
  /** Instead of `test/*`. */
  readonly functions?: string
  readonly storePatienceMs?: number
  readonly log?: Log
}

const opened: (() => Promise<void>)[] = []

/** Engines and endpoints of a test end with it. */
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

export async function startEndpoint(behaviour?: Behaviour): Promise<ScriptedEndpoint> {
  const endpoint = await startScriptedEndpoint(behaviour)
  opened.push(endpoint.close)
  return endpoint
}

/** An engine with the function `test/*` at a scripted endpoint. */
export async function startLab(behaviour: Behaviour, options: LabOptions = {}): Promise<Lab> {
  return labAt(await startEndpoint(behaviour), options)
}

export function labAt(endpoint: ScriptedEndpoint, options: LabOptions = {}): Lab {
  const { store = createMemoryEngineStore(), gone = endpoint.url, functions = 'test/*', ...rest } = options
  const { storePatienceMs, log = silent, ...limits } = rest
  const egresses: string[] = []
  const failures = new Map<string, Outcome>()
  const endpoints = [
    { functions: 'test/gone', urlPathTemplate: gone },
    { functions, urlPathTemplate: endpoint.url },
  ]
  const directory = createEndpointDirectory(endpoints, {
    ...{ maxBatch: 1_000, callTimeoutMs: 5_000, maxConnections: 64 },
    ...limits,
  })
  const engine = new Engine({
    store,
    directory,
    limits: { maxConcurrent: 64, maxQueued: 10_000, maxQueuedBytes: 10_000_000, drainMs: 2_000, ...limits },
    onEgress: ({ key, value }) => egresses.push(`${key}:${value}`),
    onFailure: (origin, outcome) => failures.set(origin, outcome),
    log,
    storePatienceMs,
  })
  opened.push(() => engine.close())
  engine.start()
  return {
    engine,
    endpoint,
    egresses,
    failures,
    send: (id, value, origin = value) =>
      engine.accept({
        target: { namespace: 'test', type: 'f', id },
        caller: null,
        argument: { typename: 'test/text', hasValue: true, value: Buffer.from(value) },
        origin,
      }),
    async answered(count) {
      await until(`${count} records`, () => egresses.length >= count, 5_000)
      return egresses
    },
    async failed(origin) {
      await until(`the failure of ${origin}`, () => failures.has(origin), 5_000)
      return failures.get(origin) ?? { kind: 'malformed', detail: 'nothing' }
    },
  }
}
