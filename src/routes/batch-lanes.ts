/**
 * Jobs with a lane run one after the other, in the order in which they were added; lanes, and jobs without one, run side by
 * side. How many jobs there may be is up to whoever adds them.
 */
export interface Lanes<Job> {
  add(lane: string | undefined, job: Job): void
  /** Takes out what has not begun, in the order of each lane. */
  takeWaiting(): readonly Job[]
  /** Begins what was held up, as far as that may be now. */
  goOn(): void
}

/**
 * @param run must not reject
 * @param mayBegin asked before a job that has waited: `false` holds its lane up until `goOn`
 */
export function createLanes<Job>(run: (job: Job) => Promise<void>, mayBegin: () => boolean = () => true): Lanes<Job> {
  /** Who waits, by the lane that is busy. A lane without jobs is no more. */
  const busy = new Map<string, Job[]>()
  /** Lanes whose next job was held up, the first of them first. */
  const heldUp: string[] = []

  function start(lane: string | undefined, job: Job): void {
    void run(job).then(() => {
      if (lane !== undefined) startNext(lane)
    })
  }

  function startNext(lane: string): void {
    const queue = busy.get(lane) ?? []
    if (queue.length > 0 && !mayBegin()) {
      heldUp.push(lane)
      return
    }
    const next = queue.shift()
    if (next === undefined) {
      busy.delete(lane)
      return
    }
    start(lane, next)
  }

  return {
    add(lane, job) {
      const queue = lane === undefined ? undefined : busy.get(lane)
      if (queue !== undefined) {
        queue.push(job)
        return
      }
      if (lane !== undefined) busy.set(lane, [])
      start(lane, job)
    },
    takeWaiting() {
      return [...busy.values()].flatMap((queue) => queue.splice(0))
    },
    goOn() {
      while (mayBegin()) {
        const lane = heldUp.shift()
        if (lane === undefined) return
        startNext(lane)
      }
    },
  }
}
