/** One call in the runtime's queue. */
export interface PacedCall {
  readonly key: string
  readonly reply: () => void
}

export interface PacedRuntimeOptions {
  /** Calls that are worked on at the same time. */
  readonly workers: number
  /** Milliseconds that each takes. */
  readonly serviceMs: number
}

/**
 * A runtime with a capacity: so many workers, each of which takes so long for a call; calls of one key one after the other, in
 * their order. It keeps its own time, so that a late timer makes no call longer than it is.
 */
export function createPacedRuntime({ workers, serviceMs }: PacedRuntimeOptions): (call: PacedCall) => void {
  const ready: PacedCall[] = []
  /** Calls that wait for the one before them, by the key that is busy or ready. */
  const behind = new Map<string, PacedCall[]>()
  const running: { readonly call: PacedCall; readonly endsAtMs: number }[] = []
  let isScheduled = false

  function startReady(sinceMs: number): void {
    while (running.length < workers) {
      const call = ready.shift()
      if (call === undefined) return
      // In the order of their ends, since all take equally long.
      running.push({ call, endsAtMs: sinceMs + serviceMs })
    }
  }

  function end(call: PacedCall): void {
    call.reply()
    const next = behind.get(call.key)?.shift()
    if (next === undefined) behind.delete(call.key)
    else ready.push(next)
  }

  function schedule(afterMs: number): void {
    if (isScheduled) return
    isScheduled = true
    setTimeout(advance, Math.max(1, afterMs))
  }

  function advance(): void {
    isScheduled = false
    const nowMs = performance.now()
    for (let first = running[0]; first !== undefined && first.endsAtMs <= nowMs; first = running[0]) {
      running.shift()
      end(first.call)
      startReady(first.endsAtMs)
    }
    const [first] = running
    if (first !== undefined) schedule(first.endsAtMs - nowMs)
  }

  return (call) => {
    const before = behind.get(call.key)
    if (before !== undefined) {
      before.push(call)
      return
    }
    behind.set(call.key, [])
    ready.push(call)
    startReady(performance.now())
    schedule(serviceMs)
  }
}
