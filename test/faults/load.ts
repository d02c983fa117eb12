import type { Call, Callers, CallKind } from './caller.ts'

/** Calls that go on at a steady rate until they are told to stop. */
export interface Load {
  readonly calls: readonly Call[]
  /** No new calls; resolves when every caller has an answer or has given up. */
  stop(): Promise<void>
}

/** Of twenty calls: eight wait, five don't, seven have a key. */
const mix: readonly CallKind[] = [
  ...['plain', 'async', 'keyed', 'plain', 'twins', 'plain', 'async', 'keyed-async', 'plain', 'async'],
  ...['plain', 'keyed', 'plain', 'async', 'keyed', 'plain', 'twins', 'async', 'plain', 'keyed'],
] as const satisfies readonly CallKind[]

const TICK_MS = 50
/** Callers under way at once; beyond, the load waits, as callers with a bounded pool would. */
const MAX_UNDER_WAY = 600

export function nameOf(prefix: string, index: number): string {
  return `${prefix}-${index}`
}

export interface LoadOptions {
  readonly callers: Callers
  /** Stands before the calls' names, so that no two rows share one. */
  readonly prefix: string
  readonly callsPerSecond: number
}

export function startLoad({ callers, prefix, callsPerSecond }: LoadOptions): Load {
  const calls: Call[] = []
  const underWay = new Set<Promise<void>>()
  const begun = Date.now()
  const timer = setInterval(() => {
    const due = Math.floor(((Date.now() - begun) / 1_000) * callsPerSecond)
    while (calls.length < due && underWay.size < MAX_UNDER_WAY) {
      const index = calls.length
      const kind = mix[index % mix.length] ?? 'plain'
      const call: Call = { name: nameOf(prefix, index), index, kind, attempts: [], collected: undefined }
      calls.push(call)
      const running = callers.run(call)
      underWay.add(running)
      void running.finally(() => underWay.delete(running))
    }
  }, TICK_MS)
  return {
    calls,
    async stop() {
      clearInterval(timer)
      await Promise.all(underWay)
    },
  }
}
