import { createSteadyStore } from '../../src/gateway/invocations/steady-store.ts'
import { createStrayKeeper } from '../../src/gateway/invocations/stray-keeper.ts'
import { type Answering, createAnswering } from '../../src/routes/answering.ts'
import { withCheckedAnswers } from '../../src/routes/checked-answers.ts'
import { createKafkaAdapter } from '../../src/runtime-adapters/kafka/kafka-adapter.ts'
import type { SimulatedBroker } from './broker.ts'
import { dialect, registry } from './entity.ts'
import type { SharedStore } from './shared-store.ts'

/** One gateway process, without its HTTP. */
export interface Replica {
  readonly name: string
  readonly answering: Answering
  /** As `buildGateway` does. */
  start(): Promise<void>
  /** SIGTERM at the end of its grace: whoever still waits is told. */
  stop(): Promise<void>
  /** SIGKILL: from now on nothing that it does has an effect. */
  kill(): void
  readonly isAlive: boolean
  readonly wasKilled: boolean
  readonly pending: number
}

export interface ReplicaOptions {
  readonly name: string
  readonly broker: SimulatedBroker
  readonly store: SharedStore
  readonly lifetimeMs: number
  readonly maxCalls: number
}

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }

export function createReplica({ name, broker, store: shared, lifetimeMs, maxCalls }: ReplicaOptions): Replica {
  const store = createSteadyStore(shared.connect(name))
  const strays = createStrayKeeper({ store, replica: name, log })
  const limits = { maxCalls, maxBytes: 1_000_000 }
  const adapter = createKafkaAdapter({ dialect, transport: broker.transportOf(name), limits, log, strays })
  const invoke = withCheckedAnswers(adapter.invoke)
  const answering = createAnswering({ invoke, store, replica: name, lifetimeMs })
  let started: Promise<void> = Promise.resolve()
  let isAlive = true
  let wasKilled = false

  return {
    name,
    answering,
    start() {
      started = strays.start(registry.entities).then(() => adapter.start())
      return started
    },
    async stop() {
      // A signal during the start is heeded after it.
      if (isAlive) await started
      await adapter.close()
      answering.lastWord()
      await answering.settled()
      await strays.close()
      await store.close()
      isAlive = false
    },
    kill() {
      isAlive = false
      wasKilled = true
      broker.cut(name)
      shared.cut(name)
    },
    get isAlive() {
      return isAlive
    },
    get wasKilled() {
      return wasKilled
    },
    get pending() {
      return adapter.counters().pending ?? 0
    },
  }
}
