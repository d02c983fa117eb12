import { LONGEST_TIMER_MS } from '../../entity-registry/longest-timer.ts'
import { type Delay, sizeOf } from './message.ts'

/** Messages that wait for their time. Not more than the store holds: whoever lets messages in has to bound them. */
export interface Delays {
  add(delay: Delay): void
  /** The number of the delay that a function with this id has given this token. */
  find(id: string, token: string): number | undefined
  /** It will not be fired any more. @returns what it was; `undefined`: it has fired, or was never there */
  drop(seq: number): Delay | undefined
  /** Nothing is fired any more. */
  close(): void
  readonly size: number
  /** Of all their messages. */
  readonly bytes: number
}

/** @param fire called when a delay is due; it is dropped then */
export function createDelays(fire: (delay: Delay) => void): Delays {
  const waiting = new Map<number, { readonly delay: Delay; timer: NodeJS.Timeout }>()
  const byToken = new Map<string, number>()
  let bytes = 0

  function drop(seq: number): Delay | undefined {
    const entry = waiting.get(seq)
    if (entry === undefined) return undefined
    clearTimeout(entry.timer)
    waiting.delete(seq)
    bytes -= sizeOf(entry.delay.message)
    const key = tokenKey(entry.delay)
    // Functions of two types may have given one token.
    if (byToken.get(key) === seq) byToken.delete(key)
    return entry.delay
  }

  /** Nobody has to wait longer than a timer can. */
  function arm({ seq, dueMs }: Delay): NodeJS.Timeout {
    return setTimeout(ring, Math.min(LONGEST_TIMER_MS, Math.max(0, dueMs - Date.now())), seq)
  }

  function ring(seq: number): void {
    const entry = waiting.get(seq)
    if (entry === undefined) return
    // A timer may ring a millisecond early, and one that could not be set to the whole time rings much earlier.
    if (entry.delay.dueMs > Date.now()) {
      entry.timer = arm(entry.delay)
      return
    }
    drop(seq)
    fire(entry.delay)
  }

  return {
    add(delay) {
      waiting.set(delay.seq, { delay, timer: arm(delay) })
      bytes += sizeOf(delay.message)
      if (delay.token !== '') byToken.set(tokenKey(delay), delay.seq)
    },
    find: (id, token) => byToken.get(keyFor(id, token)),
    drop,
    close() {
      for (const { timer } of waiting.values()) clearTimeout(timer)
      waiting.clear()
      byToken.clear()
      bytes = 0
    },
    get size() {
      return waiting.size
    },
    get bytes() {
      return bytes
    },
  }
}

function tokenKey({ token, message }: Delay): string {
  return keyFor(message.caller?.id ?? '', token)
}

/** In StateFun a token is known under the sender's id alone: its state is keyed by that (`KeyBy.java`). */
function keyFor(id: string, token: string): string {
  return `${id.length}:${id}/${token}`
}
