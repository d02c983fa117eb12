import { type Message, placeOf, sizeOf } from './message.ts'

/** Messages to one address, in their order. */
export interface Lane {
  /** The next batch. */
  take(maxMessages: number): readonly Message[]
}

export interface Lanes {
  add(message: Message): void
  /** No lane is begun any more. */
  stop(): void
  /** When nothing is under way. */
  idle(): Promise<void>
}

export interface LanesOptions {
  readonly maxConcurrent: number
  /** One batch of a lane; never rejects. */
  readonly run: (lane: Lane) => Promise<void>
}

interface Waiting extends Lane {
  readonly place: string
  readonly queue: Message[]
  isBusy: boolean
}

/** Of one request: a function that must read gigabytes at once would end. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024

/** One batch under way per address; different addresses side by side, and none before those that waited longer. */
export function createLanes({ maxConcurrent, run }: LanesOptions): Lanes {
  const lanes = new Map<string, Waiting>()
  const ready = new Set<Waiting>()
  let running = 0
  let isStopped = false
  let whenIdle: PromiseWithResolvers<void> | undefined

  function pump(): void {
    for (const lane of ready) {
      if (isStopped || running >= maxConcurrent) return
      ready.delete(lane)
      running++
      void run(lane).then(() => end(lane))
    }
  }

  function end(lane: Waiting): void {
    running--
    if (lane.queue.length > 0) ready.add(lane)
    else {
      lane.isBusy = false
      lanes.delete(lane.place)
    }
    pump()
    if (running === 0) whenIdle?.resolve()
  }

  return {
    add(message) {
      const place = placeOf(message.target)
      const lane = lanes.get(place) ?? createLane(place)
      lanes.set(place, lane)
      lane.queue.push(message)
      if (lane.isBusy) return
      lane.isBusy = true
      ready.add(lane)
      pump()
    },
    stop() {
      isStopped = true
    },
    idle() {
      if (running === 0) return Promise.resolve()
      whenIdle ??= Promise.withResolvers()
      return whenIdle.promise
    },
  }
}

function createLane(place: string): Waiting {
  const queue: Message[] = []
  return {
    place,
    queue,
    isBusy: false,
    take(maxMessages) {
      let count = 0
      let bytes = 0
      for (const message of queue) {
        bytes += sizeOf(message)
        if (count === maxMessages || (count > 0 && bytes > MAX_BATCH_BYTES)) break
        count++
      }
      return queue.splice(0, count)
    },
  }
}
