export interface ReadPosition {
  readonly topic: string
  readonly partition: number
  /** The offset to read next. */
  next: bigint
}

export interface PartitionLeader {
  readonly topic: string
  /** Another one when a topic of this name was made anew; its offsets begin again. */
  readonly topicId: string
  readonly partition: number
  readonly leader: number | undefined
}

export interface FetchedBatch {
  readonly firstOffset: bigint
  readonly lastOffsetDelta: number
  readonly attributes: number
  readonly producerId: bigint
  readonly records: readonly {
    readonly offsetDelta: number
    readonly key: Buffer | null
    readonly value: Buffer | null
  }[]
  /** Why none of its records could be read. */
  readonly unreadable?: string
}

export interface FetchedPartition {
  readonly topic: string
  readonly partition: number
  /** The protocol's name of the error, `undefined` where there is none. */
  readonly error: string | undefined
  readonly batches: readonly FetchedBatch[]
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]
}

export interface FetchRequest {
  readonly leader: number
  readonly positions: readonly ReadPosition[]
  /** The first batch of each partition alone: a broker sends one whole batch, however large, past the limit. */
  readonly oneBatch: boolean
  /** `undefined`: the broker answers as soon as there is anything. */
  readonly gather?: Gather | undefined
}

/** The broker answers when there are so many bytes, or after so long. */
export interface Gather {
  readonly minBytes: number
  readonly maxWaitMs: number
}

/** A response came whole, but what it holds can't be read, nor told where that ends. */
export class UnreadableBatchError extends Error {
  override readonly name = 'UnreadableBatchError'
}

/** What a client does for the reader. */
export interface FetchPort {
  /** Who leads each partition of the reply topics, asked of the brokers anew. `undefined`: nobody does now. */
  leaders(): Promise<readonly PartitionLeader[]>
  /** Offsets of partitions: the first that is kept, the one after the last, or the one after the last that can be read now. */
  offsets(at: 'start' | 'end' | 'readable-end'): Promise<(topic: string, partition: number) => bigint | undefined>
  /** @throws UnreadableBatchError, or what the connection throws */
  fetch(request: FetchRequest): Promise<readonly FetchedPartition[]>
}
