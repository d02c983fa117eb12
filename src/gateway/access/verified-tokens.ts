import { hash } from 'node:crypto'
import type { Caller } from './caller.ts'

/** Tokens whose signature was checked, by their hash; the least recently used one goes first. */
export interface VerifiedTokens {
  get(token: string, nowMs: number): Caller | undefined
  set(token: string, caller: Caller, untilMs: number): void
  clear(): void
  readonly size: number
}

interface Entry {
  readonly caller: Caller
  readonly untilMs: number
}

export function createVerifiedTokens(maxTokens: number): VerifiedTokens {
  // A map keeps the order of insertion: its first entry is the one that was used longest ago.
  const entries = new Map<string, Entry>()
  return {
    get(token, nowMs) {
      const key = hashOf(token)
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      if (nowMs >= entry.untilMs) return undefined
      entries.set(key, entry)
      return entry.caller
    },
    set(token, caller, untilMs) {
      const [oldest] = entries.keys()
      if (entries.size >= maxTokens && oldest !== undefined) entries.delete(oldest)
      entries.set(hashOf(token), { caller, untilMs })
    },
    clear: () => entries.clear(),
    get size() {
      return entries.size
    },
  }
}

/** A dump of the memory shows no token that was kept. */
function hashOf(token: string): string {
  return hash('sha256', token, 'base64')
}
