import { messageOf } from '../../entity-registry/message-of.ts'
import type { EntityRegistry } from '../../entity-registry/registry.ts'
import { createKeyParser } from '../../routes/to-invocation.ts'
import type { HealthCheck, Invocation, Invoke, Outcome, Target } from '../../runtime-adapters/contract.ts'
import type { Histogram } from './histogram.ts'
import { metrics } from './metric-definition.ts'
import type { Cell, MetricPage } from './metric-page.ts'
import type { ObservabilityOptions } from './options.ts'

/** Calls that the gateway makes by itself, to see whether a dataflow answers: its processes look alive when it is dead. */
export interface CanaryCalls {
  checks(): readonly HealthCheck[]
  start(): void
  close(): void
}

export interface CanaryCallsOptions {
  readonly options: ObservabilityOptions
  readonly registry: EntityRegistry
  readonly invoke: Invoke
  readonly newId: () => string
  readonly page: MetricPage | undefined
  /** What the last call of each name came to, be it of another generation's. */
  readonly known: Map<string, HealthCheck>
}

/** A canary that can't be called. */
class CanaryError extends Error {
  override readonly name = 'CanaryError'
}

/** @throws CanaryError where an entity, key or method is not what a canary may call */
export function createCanaryCalls({ options, registry, invoke, newId, page, known }: CanaryCallsOptions): CanaryCalls {
  const up = page?.numbers(metrics.canaryUp)
  const duration = page?.histogram(metrics.canaryDuration)
  const canaries = options.canaryCalls.map((name) => {
    const target = targetOf(name, registry)
    const call = () => invoke(invocationOf(newId(), target, options.canaryDeadlineMs))
    const { canaryIntervalMs: intervalMs } = options
    return createCanary({ name, call, intervalMs, known, up: up?.cell(name), duration: duration?.cell(name) })
  })
  return {
    checks: () => canaries.map(({ check }) => check()),
    start() {
      for (const canary of canaries) canary.start()
    },
    close() {
      for (const canary of canaries) canary.close()
    },
  }
}

interface CanaryOptions {
  readonly name: string
  readonly call: () => Promise<Outcome>
  readonly intervalMs: number
  readonly known: Map<string, HealthCheck>
  readonly up: Cell | undefined
  readonly duration: Histogram | undefined
}

interface Canary {
  check(): HealthCheck
  start(): void
  close(): void
}

function createCanary({ name, call, intervalMs, known, up, duration }: CanaryOptions): Canary {
  const title = `canary ${name}`
  const first: HealthCheck = { name: title, ok: false, detail: 'Its first call is under way.' }
  let timer: NodeJS.Timeout | undefined
  let state: 'new' | 'running' | 'closed' = 'new'

  async function ask(): Promise<void> {
    const startedAtMs = performance.now()
    const silence = await call().then(silenceOf, (error: unknown) => `It failed: ${String(error)}`)
    const durationMs = performance.now() - startedAtMs
    duration?.observe(durationMs / 1_000)
    // After a reload another canary of the same name asks.
    if (state === 'closed') return
    if (up !== undefined) up.value = silence === undefined ? 1 : 0
    const detail = silence ?? `Answered in ${Math.round(durationMs)} ms.`
    known.set(name, { name: title, ok: silence === undefined, detail })
    timer = setTimeout(() => void ask(), intervalMs).unref()
  }

  return {
    check: () => known.get(name) ?? first,
    start() {
      if (state !== 'new') return
      state = 'running'
      void ask()
    },
    close() {
      state = 'closed'
      clearTimeout(timer)
    },
  }
}

/** Why the runtime did not answer; `undefined`: it did, and be it that the method failed. */
function silenceOf(outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case 'returned':
    case 'created':
    case 'raised':
    case 'rejected':
      return undefined
    case 'malformed':
    case 'not-sent':
    case 'unknown':
      return outcome.detail
  }
}

function invocationOf(id: string, target: Target, deadlineMs: number): Invocation {
  return { id, target, args: {}, deadline: Date.now() + deadlineMs, context: {} }
}

/** @throws CanaryError */
function targetOf(name: string, registry: EntityRegistry): Target {
  const first = name.indexOf('/')
  const last = name.lastIndexOf('/')
  const entity = registry.byName(name.slice(0, first))
  const method = entity?.methods.get(name.slice(last + 1))
  if (entity === undefined || method === undefined) {
    throw new CanaryError(`GATEWAY_CANARY_CALLS: there is no ${name.slice(0, first)}.${name.slice(last + 1)}.`)
  }
  if (!method.safe) {
    throw new CanaryError(
      `GATEWAY_CANARY_CALLS: ${entity.name}.${method.name} may change something. Mark it in the overrides file if it does not: {"${entity.name}.${method.name}": {"safe": true}}.`,
    )
  }
  if (method.params.some(({ required }) => required)) {
    throw new CanaryError(`GATEWAY_CANARY_CALLS: ${entity.name}.${method.name} takes arguments; a canary has none.`)
  }
  return { kind: 'call', entity, method, key: keyOf(name, () => createKeyParser(entity)(name.slice(first + 1, last))) }
}

function keyOf<T>(name: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new CanaryError(`GATEWAY_CANARY_CALLS: ${name}: ${messageOf(error)}`)
  }
}
