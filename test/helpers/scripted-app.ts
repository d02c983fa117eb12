import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import type { MetadataDocument } from '../../src/entity-registry/metadata-schema.ts'
import type { Override } from '../../src/entity-registry/overrides.ts'
import { createRegistry } from '../../src/entity-registry/registry.ts'
import { createMemoryStore } from '../../src/gateway/invocations/memory-store.ts'
import { type Answering, createAnswering } from '../../src/routes/answering.ts'
import { withCheckedAnswers } from '../../src/routes/checked-answers.ts'
import { registerEntityRoutes } from '../../src/routes/entity-routes.ts'
import { answerFailures, answerRouterError } from '../../src/routes/failures.ts'
import { registerInvocationRoutes } from '../../src/routes/invocation-routes.ts'
import type { InvocationStore } from '../../src/routes/invocation-store.ts'
import { acceptJsonBodies } from '../../src/routes/json-body.ts'
import { answerSocketError } from '../../src/routes/socket-failures.ts'
import { registerSystemRoutes } from '../../src/routes/system-routes.ts'
import type { Capabilities, HealthCheck, Invocation, Outcome } from '../../src/runtime-adapters/contract.ts'

export const everything: Capabilities = {
  ...{ create: true, find: true, readState: true, readAttribute: true, writeAttribute: true, atomic: true },
  enforcesReadOnly: false,
  delivery: 'at-most-once',
}

export interface Script {
  readonly entities: MetadataDocument['entities']
  readonly overrides?: Record<string, Override>
  readonly capabilities?: Partial<Capabilities>
  readonly checks?: readonly HealthCheck[]
  /** Default: in memory. */
  readonly store?: InvocationStore
  /** Default: everybody is the same caller. */
  readonly principalOf?: (request: FastifyRequest) => string
  /** Milliseconds that the answer to a kept call is waited for. */
  readonly lifetimeMs?: number
  /** The longest that a caller may ask to wait. */
  readonly maxWaitMs?: number
  /** Hooks of the test’s own. */
  readonly prepare?: (app: FastifyInstance) => void
}

/** What a runtime says, or how it comes to say it. */
export type ScriptedAnswer = Outcome | ((invocation: Invocation) => Promise<Outcome>)

export interface ScriptedApp {
  readonly app: FastifyInstance
  /** What the runtime would have been asked, in order. */
  readonly invocations: readonly Invocation[]
  /** What it answers from now on. */
  answer(outcome: ScriptedAnswer): void
  readonly store: InvocationStore
  readonly answering: Answering
}

/** The routes over a runtime that answers what the test says: everything of HTTP, nothing behind it. */
export function buildScriptedApp(script: Script): ScriptedApp {
  const { entities, overrides = {}, capabilities = {}, checks = [] } = script
  const { principalOf = () => '', lifetimeMs = 60_000, maxWaitMs = 60_000 } = script
  const store = script.store ?? createMemoryStore({ retentionMs: 60_000, maxRecords: 1_000 })
  const app = fastify({
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 3 * 1024 },
    frameworkErrors: answerRouterError,
    clientErrorHandler: answerSocketError,
  })
  const compiled = compileEntities(
    [{ file: 'test.json', document: { formatVersion: 1, application: 'test', entities } }],
    {
      file: 'overrides.json',
      byName: new Map(Object.entries(overrides)),
    },
  )
  const invocations: Invocation[] = []
  let outcome: ScriptedAnswer = { kind: 'returned', value: null }
  const invoke = withCheckedAnswers(async (invocation) => {
    invocations.push(invocation)
    return typeof outcome === 'function' ? outcome(invocation) : outcome
  })
  const capabilitiesOf = () => ({ ...everything, ...capabilities })
  script.prepare?.(app)
  answerFailures(app, createRegistry(compiled))
  acceptJsonBodies(app)
  registerSystemRoutes(app, { entities: compiled, capabilitiesOf, checks: async () => checks })
  const answering = createAnswering({ invoke, store, replica: 'test', lifetimeMs })
  registerInvocationRoutes(app, { store, principalOf, maxWaitMs })
  registerEntityRoutes(app, {
    ...{ entities: compiled, capabilitiesOf, answering, principalOf },
    ...{ defaultDeadlineMs: 10_000, maxWaitMs },
  })
  return {
    app,
    invocations,
    store,
    answering,
    answer(next) {
      outcome = next
    },
  }
}
