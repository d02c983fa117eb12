import { messageOf } from '../../entity-registry/message-of.ts'
import type { Log } from '../contract.ts'
import { takeCommitted } from './committed-records.ts'
import { type EndNote, NOTE_MS, noteEnd } from './end-notes.ts'
import {
  type FetchedPartition,
  type FetchPort,
  type Gather,
  type PartitionLeader,
  type ReadPosition,
  UnreadableBatchError,
} from './fetch-port.ts'
import { firstReadable } from './first-readable.ts'
import type { IsWanted, ReceivedRecord, ReplySelection } from './transport.ts'

export interface ReplyReaderOptions {
  readonly port: FetchPort
  readonly onRecord: (record: ReceivedRecord) => void
  /** How often to look for partitions that were added. */
  readonly refreshMs: number
  readonly log: Log
}

const retryPauseMs = 100
/** Replies of one fetch that make the next one gather. */
const MANY = 8
/** Milliseconds that a reply is kept at most for further ones to come. */
const GATHER_MS = 2
/** Partitions that are read one by one wait for each other: none of them may wait for replies. */
const AT_ONCE: Gather = { minBytes: 1, maxWaitMs: 1 }

interface Tracked extends ReadPosition {
  topicId: string
  leader: number | undefined
  /** Set aside until the leaders are known anew. */
  stalled: string | undefined
  /** Since the last fetch that worked. */
  trouble: string | undefined
  /** While it is not read. */
  readonly notes: EndNote[]
}

/** Offsets that were passed over. */
interface Passed {
  readonly from: bigint
  /** The first that is read again. */
  readonly to: bigint
  readonly reason?: string
}

/** What was read. */
interface Taken {
  count: number
  /** Of keys and values. */
  bytes: number
}

/** Reads partitions from their leaders, without a group: one fetch loop a broker. */
export class ReplyReader implements ReplySelection {
  readonly #port: FetchPort
  readonly #options: ReplyReaderOptions
  readonly #tracked = new Map<string, Tracked>()
  readonly #loops = new Set<number>()
  #refreshTimer: NodeJS.Timeout | undefined
  #refreshing = false
  #closed = false
  #isWanted: IsWanted = () => true
  #noteTimer: NodeJS.Timeout | undefined

  constructor(options: ReplyReaderOptions) {
    this.#port = options.port
    this.#options = options
  }

  /** Resolves when every position is fixed. */
  async start(): Promise<void> {
    const leaders = await this.#port.leaders()
    const end = await this.#port.offsets('end')
    for (const { topic, topicId, partition, leader } of leaders) {
      const next = end(topic, partition)
      if (next === undefined) throw new Error(`no end offset of partition ${partition} of ${topic}`)
      this.#tracked.set(nameOf(topic, partition), {
        ...{ topic, topicId, partition, next, leader },
        ...{ stalled: undefined, trouble: undefined, notes: [] },
      })
    }
    this.#startLoops()
    this.#refreshIn(this.#options.refreshMs)
  }

  /** `undefined` while all partitions are read. */
  trouble(): string | undefined {
    for (const { topic, partition, leader, trouble } of this.#wanted()) {
      if (trouble !== undefined) return `Partition ${partition} of ${topic} can't be read: ${trouble}`
      if (leader === undefined) return `Partition ${partition} of ${topic} has no leader.`
    }
    return undefined
  }

  partitionsOf(name: string): number | undefined {
    const count = [...this.#tracked.values()].filter(({ topic }) => topic === name).length
    return count === 0 ? undefined : count
  }

  read(isWanted: IsWanted): void {
    if (this.#closed) return
    this.#isWanted = isWanted
    for (const one of this.#wanted()) one.notes.length = 0
    this.#noteTimer ??= setInterval(() => void this.#noteEnds().catch(() => undefined), NOTE_MS)
    this.#startLoops()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#refreshTimer)
    clearInterval(this.#noteTimer)
  }

  #wanted(): readonly Tracked[] {
    return [...this.#tracked.values()].filter(({ topic, partition }) => this.#isWanted(topic, partition))
  }

  /** Where the partitions that are not read would be taken up. */
  async #noteEnds(): Promise<void> {
    const leftOut = [...this.#tracked.values()].filter(({ topic, partition }) => !this.#isWanted(topic, partition))
    if (leftOut.length === 0) return
    const atMs = performance.now()
    const end = await this.#port.offsets('readable-end')
    for (const one of leftOut) {
      const offset = end(one.topic, one.partition)
      if (offset === undefined || this.#isWanted(one.topic, one.partition)) continue
      one.next = noteEnd(one.notes, { atMs, offset }) ?? one.next
    }
  }

  #startLoops(): void {
    for (const { leader } of this.#wanted()) {
      if (leader === undefined || this.#loops.has(leader)) continue
      this.#loops.add(leader)
      void this.#loop(leader)
    }
  }

  /** Ends when the broker leads nothing more; the next look at the leaders starts it again. */
  async #loop(leader: number): Promise<void> {
    let gather: Gather | undefined
    while (!this.#closed) {
      const mine = this.#wanted().filter((one) => one.leader === leader && one.stalled === undefined)
      if (mine.length === 0) {
        // In the same step as the look: a partition that is wanted a moment later starts it again.
        this.#loops.delete(leader)
        return
      }
      try {
        gather = await this.#round(leader, { mine, gather })
      } catch (error) {
        for (const one of mine) this.#stall(one, messageOf(error))
      }
    }
  }

  /**
   * While many replies come, the next fetch waits for twice as many: to be woken for each of a few costs the broker and this process more
   * than the replies themselves.
   */
  async #round(
    leader: number,
    { mine, gather }: { readonly mine: readonly Tracked[]; readonly gather: Gather | undefined },
  ): Promise<Gather | undefined> {
    const taken: Taken = { count: 0, bytes: 0 }
    try {
      const response = await this.#port.fetch({ leader, positions: mine, oneBatch: false, gather })
      for (const fetched of response) this.#take(fetched, taken)
    } catch (error) {
      if (!(error instanceof UnreadableBatchError)) throw error
      for (const one of mine) await this.#readCarefully(leader, one, taken)
    }
    // A response leaves out the partitions of which there is nothing to tell.
    for (const one of mine) if (one.stalled === undefined) one.trouble = undefined
    return taken.count < MANY ? undefined : { minBytes: 2 * taken.bytes, maxWaitMs: GATHER_MS }
  }

  #take(fetched: FetchedPartition, taken: Taken): void {
    const position = this.#tracked.get(nameOf(fetched.topic, fetched.partition))
    // What was asked for before it was left out comes again when it is wanted.
    if (position === undefined || this.#closed || !this.#isWanted(fetched.topic, fetched.partition)) return
    if (fetched.error !== undefined) {
      this.#stall(position, fetched.error)
      return
    }
    for (const { firstOffset: from, lastOffsetDelta, unreadable: reason } of fetched.batches) {
      if (reason !== undefined) this.#notePassed(position, { from, to: from + BigInt(lastOffsetDelta) + 1n, reason })
    }
    position.next = takeCommitted(fetched, position.next, (record) => {
      // Before it is looked at: whatever comes of that, it is not read again.
      position.next = record.offset + 1n
      taken.count++
      taken.bytes += record.key.length + record.value.length
      this.#options.onRecord(record)
    })
  }

  /** A batch that does not tell where it ends must not stop the others: it is passed over, batch by batch. */
  async #readCarefully(leader: number, position: Tracked, taken: Taken): Promise<void> {
    const readableFrom = async (next: bigint) => {
      try {
        return await this.#port.fetch({ leader, positions: [{ ...position, next }], oneBatch: true, gather: AT_ONCE })
      } catch (error) {
        if (error instanceof UnreadableBatchError) return undefined
        throw error
      }
    }
    const found = await readableFrom(position.next)
    if (found === undefined) {
      const from = position.next
      position.next = await firstReadable(from, async (next) => (await readableFrom(next)) !== undefined)
      this.#notePassed(position, { from, to: position.next })
    }
    for (const fetched of found ?? []) this.#take(fetched, taken)
  }

  #notePassed({ topic, partition }: Tracked, what: Passed): void {
    this.#options.log.error({ topic, partition, ...what }, 'Passed over replies that can’t be read')
  }

  #stall(one: Tracked, reason: string): void {
    const { topic, partition, next } = one
    if (one.trouble === undefined && !this.#closed) {
      this.#options.log.warn({ topic, partition, next, reason }, 'Replies can’t be read for now')
    }
    one.stalled = reason
    one.trouble = reason
    this.#refreshIn(retryPauseMs)
  }

  #refreshIn(delayMs: number): void {
    if (this.#closed || this.#refreshing) return
    clearTimeout(this.#refreshTimer)
    this.#refreshTimer = setTimeout(() => {
      this.#refreshing = true
      void this.#refresh()
        // The brokers are away: the partitions keep their places, and their reasons.
        .catch(() => undefined)
        .finally(() => {
          this.#refreshing = false
          this.#refreshIn(this.trouble() === undefined ? this.#options.refreshMs : retryPauseMs)
        })
    }, delayMs)
  }

  async #refresh(): Promise<void> {
    const leaders = await this.#port.leaders()
    const lost = [...this.#tracked.values()].some(({ stalled }) => stalled === 'OFFSET_OUT_OF_RANGE')
    // Out of range: retention, a truncated log, or a topic made anew. What is still kept may hold replies; old ones are
    // dropped by those who wait for none of them.
    const start = lost ? await this.#port.offsets('start') : undefined
    this.#dropRemade(leaders)
    for (const { topic, topicId, partition, leader } of leaders) {
      const name = nameOf(topic, partition)
      const known = this.#tracked.get(name)
      if (known === undefined) {
        // The partition is younger than `start`, and so is all that stands in it.
        const place = { topic, topicId, partition, next: 0n, leader }
        this.#tracked.set(name, { ...place, stalled: undefined, trouble: undefined, notes: [] })
        continue
      }
      known.leader = leader
      if (known.stalled === 'OFFSET_OUT_OF_RANGE') known.next = start?.(topic, partition) ?? known.next
      known.stalled = undefined
    }
    this.#startLoops()
  }

  /** Partitions of topics that were made anew since, perhaps with fewer. */
  #dropRemade(leaders: readonly PartitionLeader[]): void {
    const topicIds = new Map(leaders.map(({ topic, topicId }) => [topic, topicId]))
    for (const [name, { topic, topicId }] of this.#tracked) {
      if ((topicIds.get(topic) ?? topicId) !== topicId) this.#tracked.delete(name)
    }
  }
}

function nameOf(topic: string, partition: number): string {
  return `${partition}/${topic}`
}
