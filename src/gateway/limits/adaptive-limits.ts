import type { FastifyInstance } from 'fastify'
import { type AdaptiveLimit, createAdaptiveLimit, WINDOW_MS } from './adaptive-limit.ts'
import { createDoor, registerDoor } from './door.ts'
import type { LimitOptions } from './limit-options.ts'
import { createLoopLag } from './loop-lag.ts'

/** The limits of all runtime instances, and the door of the process, which one timer looks after. */
export interface AdaptiveLimits {
  readonly all: ReadonlyMap<string, AdaptiveLimit>
  of(runtimeName: string): AdaptiveLimit
  registerDoor(app: FastifyInstance, onShed: () => void): void
  /** Told when limits may have grown. */
  onTick(tell: () => void): void
  start(): void
  stop(): void
}

export function createAdaptiveLimits(options: LimitOptions, maxPending: number): AdaptiveLimits {
  const { adaptiveMinInFlight, adaptiveTolerancePercent, adaptiveFloorMs: floorMs, adaptiveLoopLagMs } = options
  const all = new Map<string, AdaptiveLimit>()
  const listeners: (() => void)[] = []
  const door = createDoor(adaptiveLoopLagMs)
  const lag = createLoopLag()
  let timer: NodeJS.Timeout | undefined

  function tick(): void {
    const lagMs = lag.take()
    const nowMs = performance.now()
    door.tick(lagMs)
    for (const limit of all.values()) limit.tick(nowMs, lagMs > adaptiveLoopLagMs)
    for (const tell of listeners) tell()
  }

  return {
    all,
    of(name) {
      const known = all.get(name)
      if (known !== undefined) return known
      const [min, tolerance] = [Math.min(adaptiveMinInFlight, maxPending), adaptiveTolerancePercent / 100]
      const made = createAdaptiveLimit({ min, max: maxPending, tolerance, floorMs })
      all.set(name, made)
      return made
    },
    registerDoor: (app, onShed) => registerDoor(app, door, onShed),
    onTick: (tell) => void listeners.push(tell),
    start() {
      lag.start()
      timer ??= setInterval(tick, WINDOW_MS).unref()
    },
    stop() {
      lag.stop()
      clearInterval(timer)
    },
  }
}
