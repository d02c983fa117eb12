import { randomUUID } from 'node:crypto'
import type { HealthCheck, Log, ReplicaShare } from '../contract.ts'
import { UUID_LENGTH } from './as-uuid.ts'
import { partitioners, type ReplyPartitioner } from './partitioners.ts'
import { type IsWanted, type ReceivedRecord, type ReplySelection, TransportStartError } from './transport.ts'

export interface ReplySteeringOptions {
  readonly selection: ReplySelection
  readonly topics: readonly string[]
  readonly share: ReplicaShare
  readonly partitioner: ReplyPartitioner
  /** See `StrayReplies.holders`. */
  readonly holders: () => readonly ReplicaShare[] | undefined
  readonly log: Log
}

/** Replies in a row that must stand where they were foreseen. By chance they do once in 2^20 times, at two partitions. */
const PROOF = 20
/** With each reply that stands elsewhere, as many more are asked for; up to this. */
const MAX_PROOF = 20_000
const LOOK_MS = 1_000

/**
 * Each replica chooses ids whose replies come to partitions of its own, and reads these alone. It reads all of them until the
 * runtime has shown that it places replies as foreseen, as soon as it does not, and those of replicas that nobody sees alive.
 */
export class ReplySteering {
  readonly counters = { misplaced: 0, readAll: 0 }
  readonly #options: ReplySteeringOptions
  readonly #partitions = new Map<string, number>()
  readonly #idBytes = Buffer.alloc(UUID_LENGTH)
  #timer: NodeJS.Timeout | undefined
  #rightInARow = 0
  /** Nothing was read since the last look. */
  #isSilent = true
  #wantedProof = PROOF
  /** Until the end of the process. */
  #spoilt: string | undefined
  /** What is read now, in words. */
  #reading = 'all'

  constructor(options: ReplySteeringOptions) {
    this.#options = options
  }

  /** Once the transport has started. @throws TransportStartError */
  start(): void {
    const { topics, selection, share } = this.#options
    for (const topic of topics) {
      const count = selection.partitionsOf(topic) ?? 0
      if (count < share.count) {
        const why = `${topic} has ${count} partitions, so ${share.count} replicas can’t have one each.`
        throw new TransportStartError(`KAFKA_REPLY_PARTITIONS=own: ${why}`)
      }
      this.#partitions.set(topic, count)
    }
    this.#timer = setInterval(() => {
      this.#look()
      this.#isSilent = true
    }, LOOK_MS)
  }

  /** Whether replies to this id come to partitions of this replica. */
  suits(id: string): boolean {
    const { share } = this.#options
    for (const count of this.#partitions.values()) {
      if (!holds(share, this.#foreseen(id, count))) return false
    }
    return true
  }

  /** One that suits, for a call of the adapter's own. */
  newId(): string {
    for (;;) {
      const id = randomUUID()
      if (this.suits(id)) return id
    }
  }

  /** Each record that is read, whoever it is for. */
  see(id: string | undefined, { topic, partition }: ReceivedRecord): void {
    const count = this.#partitions.get(topic)
    if (count === undefined || id?.length !== UUID_LENGTH) return
    this.#isSilent = false
    const foreseen = this.#foreseen(id, count)
    if (foreseen === partition) {
      this.#rightInARow++
      return
    }
    this.#rightInARow = 0
    this.#wantedProof = Math.min(2 * this.#wantedProof, MAX_PROOF)
    if (this.#reading !== 'all') this.#look()
    const times = ++this.counters.misplaced
    // At the 1st, 2nd, 4th, 8th …: it must be seen, and must not fill the log.
    if ((times & (times - 1)) !== 0) return
    const { partitioner, log } = this.#options
    const other = partitioner === 'crc32' ? 'murmur2' : 'crc32'
    const hint = partitioners[other](Buffer.from(id), count) === partition ? ` Is it ${other}?` : ''
    const fields = { topic, partition, foreseen, times }
    log.error(fields, `Replies are not where KAFKA_REPLY_PARTITIONER=${partitioner} puts them; all are read.${hint}`)
  }

  /** The runtime did not answer: should nothing else come from it either, its replies are looked for everywhere. */
  doubt(): void {
    if (!this.#isSilent) return
    this.#rightInARow = 0
    this.#look()
  }

  health(): HealthCheck {
    const why = this.#spoilt ?? (this.#wantedProof > PROOF ? 'They are not where they were foreseen' : undefined)
    const isNarrow = this.#reading !== 'all'
    const detail = isNarrow
      ? `Those of partitions ${this.#reading} are read.`
      : `All are read. ${why ?? 'Few were seen yet'}.`
    return { name: 'replies', ok: isNarrow || why === undefined, essential: false, detail }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #foreseen(id: string, count: number): number {
    this.#idBytes.write(id, 'latin1')
    return partitioners[this.#options.partitioner](this.#idBytes, count)
  }

  #look(): void {
    const { selection, holders } = this.#options
    for (const [topic, count] of this.#partitions) {
      const now = selection.partitionsOf(topic) ?? count
      if (now === count) continue
      // Calls under way have ids that were chosen for the count before, so what they are asked for can come anywhere.
      this.#partitions.set(topic, now)
      this.#spoilt = `${topic} has ${now} partitions instead of ${count}: start the replicas anew`
      this.#options.log.error(
        { topic, before: count, now },
        'Partitions were added to replies; all are read from now on',
      )
    }
    if (this.#spoilt !== undefined || this.#rightInARow < this.#wantedProof) this.#read('all', () => true)
    else this.#narrow(holders())
  }

  #narrow(held: readonly ReplicaShare[] | undefined): void {
    const isWanted: IsWanted = (_topic, partition) =>
      holds(this.#options.share, partition) || (held !== undefined && !held.some((share) => holds(share, partition)))
    const wanted = [...this.#partitions].flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => partition).filter((partition) => isWanted(topic, partition)),
    )
    this.#read(wanted.join(' '), isWanted)
  }

  #read(reading: string, isWanted: IsWanted): void {
    if (reading === this.#reading) return
    const { log, selection } = this.#options
    if (reading === 'all') this.counters.readAll++
    this.#reading = reading
    log.info({ partitions: reading }, 'Replies of these partitions are read')
    selection.read(isWanted)
  }
}

function holds({ index, count }: ReplicaShare, partition: number): boolean {
  return partition % count === index
}
