/**
 * Jobs with a lane run one after the other, in the order in which they were added; lanes, and jobs without one, run side by
 * side. How many jobs there may be is up to whoever adds them.
 */
export interface Lanes<Job> {
  add(lane: string | undefined, job: Job): void
  /** Jobs that have begun and not ended. */
  readonly running: number
  /** Jobs that wait for the one before them. */
  readonly waiting: number
  /** Takes out what has not begun, in the order of each lane. */
  takeWaiting(): readonly Job[]
}

/** @param run must not reject */
export function createLanes<Job>(run: (job: Job) => Promise<void>): Lanes<Job> {
  /** Who waits, by the lane that is busy. A lane without jobs is no more. */
  const busy = new Map<string, Job[]>()
  let running = 0
  let waiting = 0

  function start(lane: string | undefined, job: Job): void {
    running++
    void run(job).then(() => {
      running--
      if (lane !== undefined) startNext(lane)
    })
  }

  function startNext(lane: string): void {
    const next = busy.get(lane)?.shift()
    if (next === undefined) {
      busy.delete(lane)
      return
    }
    waiting--
    start(lane, next)
  }

  return {
    add(lane, job) {
      const queue = lane === undefined ? undefined : busy.get(lane)
      if (queue !== undefined) {
        queue.push(job)
        waiting++
        return
      }
      if (lane !== undefined) busy.set(lane, [])
      start(lane, job)
    },
    get running() {
      return running
    },
    get waiting() {
      return waiting
    },
    takeWaiting() {
      waiting = 0
      return [...busy.values()].flatMap((queue) => queue.splice(0))
    },
  }
}
