import type { Invocation, Outcome } from '../../runtime-adapters/contract.ts'

/** Calls that wait for room instead of being refused: lines of batches, each of which has few of them at once. */
export interface WaitingRoom {
  readonly size: number
  /**
   * Resolves with the outcome, once there was room or no more time.
   * @param tryCall makes the call, or says that there is no room
   */
  wait(invocation: Invocation, tryCall: TryCall): Promise<Outcome>
  /** There may be room. */
  wake(): void
  /** Nobody may wait any more, now or later. */
  close(): void
}

export type TryCall = (invocation: Invocation) => Promise<Outcome> | undefined

interface Waiter {
  readonly invocation: Invocation
  readonly tryCall: TryCall
  /** By the clock that is never set. */
  readonly untilMs: number
  readonly resolve: (outcome: Outcome | Promise<Outcome>) => void
}

/** Milliseconds between two looks for those who have waited for too long. */
const LOOK_MS = 100
/** Nobody waits longer, however late his call would still be of use. */
const MAX_WAIT_MS = 60_000

const TOO_LATE: Outcome = {
  kind: 'not-sent',
  cause: 'overloaded',
  detail: 'The runtime had no room for this call before its deadline.',
}
const STOPPING: Outcome = {
  kind: 'not-sent',
  cause: 'shutting-down',
  detail: 'This replica is stopping and takes no new calls.',
}

/** A queue for each entity type, served in turn: one that is full does not hold up the others. */
export function createWaitingRoom(): WaitingRoom {
  const queues = new Map<string, Waiter[]>()
  let size = 0
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  function take(name: string, queue: Waiter[], outcome: Outcome | Promise<Outcome>): void {
    queue.shift()?.resolve(outcome)
    size--
    queues.delete(name)
    // Behind the others, whose turn is next.
    if (queue.length > 0) queues.set(name, queue)
  }

  function wake(): void {
    let served = size > 0
    while (served) {
      served = false
      for (const [name, queue] of [...queues]) {
        const [first] = queue
        const called = first?.tryCall(first.invocation)
        if (called === undefined) continue
        take(name, queue, called)
        served = true
      }
    }
  }

  function dismiss(isOver: (waiter: Waiter) => boolean, outcome: Outcome): void {
    for (const [name, queue] of queues) {
      const left: Waiter[] = []
      for (const waiter of queue) {
        if (!isOver(waiter)) left.push(waiter)
        else {
          size--
          waiter.resolve(outcome)
        }
      }
      if (left.length === 0) queues.delete(name)
      else queues.set(name, left)
    }
    if (size === 0) stop()
  }

  function look(): void {
    const nowMs = performance.now()
    dismiss(({ untilMs }) => untilMs <= nowMs, TOO_LATE)
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    get size() {
      return size
    },
    wait(invocation, tryCall) {
      if (isClosed) return Promise.resolve(STOPPING)
      const { promise, resolve } = Promise.withResolvers<Outcome>()
      const { name } = invocation.target.entity
      const untilMs = performance.now() + Math.min(invocation.deadline - Date.now(), MAX_WAIT_MS)
      const waiter = { invocation, tryCall, untilMs, resolve }
      const queue = queues.get(name)
      if (queue === undefined) queues.set(name, [waiter])
      else queue.push(waiter)
      size++
      timer ??= setInterval(look, LOOK_MS).unref()
      return promise
    },
    wake,
    close() {
      isClosed = true
      dismiss(() => true, STOPPING)
    },
  }
}
