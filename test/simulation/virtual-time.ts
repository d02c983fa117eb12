/**
 * Time that passes only when everything of the present instant has been done. It takes the place of the global timers, of
 * `Date.now` and of `performance.now`, so the code under test runs as it is.
 */
export interface VirtualTime {
  now(): number
  /** An event of the world: not a timer of the code under test. */
  at(delayMs: number, happen: () => void): void
  /** Resolves when `delayMs` have passed; a wait of the world too. */
  pass(delayMs: number): Promise<void>
  /** Runs until nothing is left before `untilMs` after the start. */
  run(untilMs: number): Promise<void>
  /** Timers of the code under test that are set now. */
  readonly timers: number
  /** Gives the real timers back. */
  uninstall(): void
}

interface Event {
  readonly at: number
  readonly order: number
  happen: (() => void) | undefined
}

/** Any instant will do: Saturday, 1 January 2028. */
const EPOCH_MS = Date.UTC(2028, 0, 1)

/** What the code under test holds of a timer. */
class VirtualTimer {
  event: Event | undefined
  unref(): this {
    return this
  }
}

export function installVirtualTime(): VirtualTime {
  const real = { setTimeout, clearTimeout, setInterval, clearInterval, now: Date.now }
  const realPerformanceNow = performance.now
  const queue = createQueue()
  const set = new Set<VirtualTimer>()
  let now = EPOCH_MS
  let order = 0

  function at(delayMs: number, happen: () => void): Event {
    const event: Event = { at: now + Math.max(0, delayMs), order: order++, happen }
    queue.push(event)
    return event
  }

  function start(fire: () => void, delayMs: number, everyMs: number | undefined): VirtualTimer {
    const timer = new VirtualTimer()
    set.add(timer)
    const happen = (): void => {
      if (everyMs === undefined) set.delete(timer)
      else timer.event = at(everyMs, happen)
      fire()
    }
    // Node never fires in the same millisecond.
    timer.event = at(Math.max(1, delayMs), happen)
    return timer
  }

  function stop(timer: unknown): void {
    if (!(timer instanceof VirtualTimer) || !set.delete(timer)) return
    if (timer.event !== undefined) timer.event.happen = undefined
  }

  replaceGlobals({
    setTimeout: (fire: (value: unknown) => void, ms = 0, value?: unknown) => start(() => fire(value), ms, undefined),
    setInterval: (fire: () => void, ms = 1) => start(fire, ms, Math.max(1, ms)),
    clearTimeout: stop,
    clearInterval: stop,
  })
  Date.now = () => now
  performance.now = () => now

  return {
    now: () => now,
    at,
    pass: (delayMs) => new Promise((resolve) => at(delayMs, resolve)),
    run: (untilMs) =>
      drain(() => {
        const event = queue.popBefore(EPOCH_MS + untilMs)
        if (event === undefined) {
          now = Math.max(now, EPOCH_MS + untilMs)
          return false
        }
        now = event.at
        event.happen?.()
        return true
      }),
    get timers() {
      return set.size
    },
    uninstall() {
      replaceGlobals(real)
      Date.now = real.now
      performance.now = realPerformanceNow
    },
  }
}

function replaceGlobals(functions: object): void {
  Object.assign(globalThis, {
    ...('setTimeout' in functions ? { setTimeout: functions.setTimeout } : {}),
    ...('setInterval' in functions ? { setInterval: functions.setInterval } : {}),
    ...('clearTimeout' in functions ? { clearTimeout: functions.clearTimeout } : {}),
    ...('clearInterval' in functions ? { clearInterval: functions.clearInterval } : {}),
  })
}

/** Steps asked for at once: between two of them Node runs every promise's reaction, and nothing else. */
const AHEAD = 32

/** Calls `step` until it returns false, and lets all promises react after each call. */
function drain(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const go = (): void => {
      if (isOver) return
      try {
        if (step()) {
          setImmediate(go)
          return
        }
        isOver = true
        resolve()
      } catch (error) {
        isOver = true
        reject(error)
      }
    }
    for (let ahead = 0; ahead < AHEAD; ahead++) setImmediate(go)
  })
}

/** A binary heap: the earliest event first, and of one instant the one that was planned first. */
function createQueue() {
  const heap: Event[] = []

  function isBefore(a: number, b: number): boolean {
    const one = heap[a]
    const other = heap[b]
    if (one === undefined || other === undefined) return other === undefined
    return one.at < other.at || (one.at === other.at && one.order < other.order)
  }

  function swap(a: number, b: number): void {
    const one = heap[a]
    const other = heap[b]
    if (one === undefined || other === undefined) return
    heap[a] = other
    heap[b] = one
  }

  function sink(): void {
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= heap.length) return
      const least = left + 1 < heap.length && isBefore(left + 1, left) ? left + 1 : left
      if (isBefore(at, least)) return
      swap(at, least)
      at = least
    }
  }

  return {
    push(event: Event): void {
      heap.push(event)
      let at = heap.length - 1
      while (at > 0 && isBefore(at, (at - 1) >> 1)) {
        swap(at, (at - 1) >> 1)
        at = (at - 1) >> 1
      }
    },
    popBefore(end: number): Event | undefined {
      const [first] = heap
      if (first === undefined || first.at > end) return undefined
      const last = heap.pop()
      if (last !== undefined && heap.length > 0) {
        heap[0] = last
        sink()
      }
      return first
    },
  }
}
