import { atMost } from '../../entity-registry/at-most.ts'
import { notSent } from './not-sent.ts'
import type { PartitionBatch, ProduceVerdict } from './produce-verdict.ts'
import type { KafkaRecord, SendResult } from './transport.ts'

/** What a client does for the batcher. */
export interface ProducePort {
  /** The broker that leads a partition now; `undefined` while none is known. */
  leaderOf(topic: string, partition: number): number | undefined
  /** Asks the brokers again who leads what. Never rejects. */
  refresh(): Promise<void>
  /** One request to one leader: a verdict for each batch, in order. Never rejects. */
  produce(leader: number, batches: readonly PartitionBatch[]): Promise<readonly ProduceVerdict[]>
}

export interface SendBatcherOptions {
  readonly port: ProducePort
  readonly sendTimeoutMs: number
  /** Of the records that go to one partition in one request: the topic's limit holds for them together. */
  readonly maxBatchBytes: number
}

interface Waiting {
  readonly record: KafkaRecord
  readonly expiresAt: number
  /** `undefined` once told. */
  settle: ((result: SendResult) => void) | undefined
}

interface Lane {
  readonly topic: string
  readonly partition: number
  waiting: Waiting[]
  /** One batch of a partition travels at a time: that keeps the order of a key, also when a batch must go again. */
  travelling: readonly Waiting[] | undefined
  /** Until the brokers have been asked who leads. */
  paused: boolean
  maxRecords: number
  /** Why nothing was taken, since the last time that something was. */
  lastDetail: string
}

const refreshPauseMs = 100
/** Records of one request that make the next one gather. */
const MANY = 16
/** Milliseconds that records are kept at most for further ones to come. */
const GATHER_MS = 2
/** A batch's header, and at most what one record adds to its key, value and headers (KIP-98 message format). */
const batchOverheadBytes = 61
const recordOverheadBytes = 30
const maxBatchRecords = 10_000
const notTaken = 'No broker took it in time.'

/**
 * Gathers the sends of one turn of the event loop, and what comes while the broker is busy: one produce request a leader, one batch a
 * partition. A broker reads the next request of a connection when it has answered the last, so a second one would only wait there; kept
 * here, it takes along what comes meanwhile. While many come, it waits a little longer for them: requests cost the broker and this process
 * more than records do.
 */
export class SendBatcher {
  readonly #port: ProducePort
  readonly #options: SendBatcherOptions
  readonly #sweepMs: number
  readonly #lanes = new Map<string, Map<number, Lane>>()
  /** Leaders that have a request to answer. */
  readonly #busy = new Set<number>()
  readonly #ready = new Set<Lane>()
  readonly #requests = new Set<Promise<void>>()
  #turn: NodeJS.Immediate | undefined
  #sweeper: NodeJS.Timeout | undefined
  #pause: NodeJS.Timeout | undefined
  #refreshing = false
  #closed = false

  constructor(options: SendBatcherOptions) {
    this.#port = options.port
    this.#options = options
    this.#sweepMs = Math.min(100, options.sendTimeoutMs / 10)
  }

  add(record: KafkaRecord, partition: number): Promise<SendResult> {
    if (this.#closed) return Promise.resolve(notSent('broker-unavailable', 'The gateway is shutting down.'))
    const { promise, resolve } = Promise.withResolvers<SendResult>()
    const lane = this.#lane(record.topic, partition)
    // The sweep comes round late by its own interval, so records expire earlier by as much.
    const expiresAt = performance.now() + this.#options.sendTimeoutMs - this.#sweepMs
    lane.waiting.push({ record, expiresAt, settle: resolve })
    this.#ready.add(lane)
    this.#turn ??= setImmediate(() => this.#flush())
    this.#sweeper ??= setInterval(() => this.#sweep(), this.#sweepMs)
    return promise
  }

  /** What waits is `not-sent`; what travels has `graceMs` to come back, then it is `unknown`. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true
    clearImmediate(this.#turn)
    for (const lane of this.#all()) {
      for (const one of lane.waiting) tell(one, notSent('broker-unavailable', 'The gateway is shutting down.'))
      lane.waiting = []
    }
    await atMost(graceMs, Promise.all(this.#requests))
    clearTimeout(this.#pause)
    clearInterval(this.#sweeper)
    for (const { travelling = [] } of this.#all()) {
      for (const one of travelling) tell(one, unknown('The gateway stopped before the broker acknowledged.'))
    }
  }

  *#all(): Generator<Lane> {
    for (const ofTopic of this.#lanes.values()) yield* ofTopic.values()
  }

  #lane(topic: string, partition: number): Lane {
    let ofTopic = this.#lanes.get(topic)
    const known = ofTopic?.get(partition)
    if (known !== undefined) return known
    const lane: Lane = {
      topic,
      partition,
      waiting: [],
      travelling: undefined,
      paused: false,
      maxRecords: maxBatchRecords,
      lastDetail: notTaken,
    }
    ofTopic ??= new Map()
    this.#lanes.set(topic, ofTopic.set(partition, lane))
    return lane
  }

  #flush(): void {
    this.#turn = undefined
    const byLeader = new Map<number, Lane[]>()
    for (const lane of this.#ready) {
      const leader = this.#isFree(lane) ? this.#port.leaderOf(lane.topic, lane.partition) : undefined
      if (leader !== undefined && this.#busy.has(leader)) continue
      this.#ready.delete(lane)
      if (leader !== undefined) byLeader.get(leader)?.push(lane) ?? byLeader.set(leader, [lane])
      else if (this.#isFree(lane)) this.#pauseLane(lane, 'The partition has no leader.')
    }
    for (const [leader, lanes] of byLeader) {
      const request = this.#request(leader, lanes)
      this.#requests.add(request)
      void request.finally(() => this.#requests.delete(request))
    }
  }

  #isFree({ paused, travelling, waiting }: Lane): boolean {
    return !paused && travelling === undefined && waiting.length > 0
  }

  async #request(leader: number, lanes: readonly Lane[]): Promise<void> {
    const batches = lanes.map((lane): PartitionBatch => {
      lane.travelling = this.#take(lane)
      const records = lane.travelling.map(({ record }) => record)
      return { topic: lane.topic, partition: lane.partition, records }
    })
    this.#busy.add(leader)
    const verdicts = await this.#port.produce(leader, batches)
    for (const [index, lane] of lanes.entries()) {
      this.#arrive(lane, verdicts[index] ?? unknown('The broker said nothing of this partition.'))
    }
    const count = batches.reduce((sum, { records }) => sum + records.length, 0)
    if (count < MANY) this.#free(leader)
    else setTimeout(() => this.#free(leader), GATHER_MS)
  }

  #free(leader: number): void {
    this.#busy.delete(leader)
    this.#flush()
  }

  #take(lane: Lane): readonly Waiting[] {
    let bytes = batchOverheadBytes
    let count = 0
    for (const { record } of lane.waiting) {
      bytes += recordBytes(record)
      if (count > 0 && (count >= lane.maxRecords || bytes > this.#options.maxBatchBytes)) break
      count++
    }
    return lane.waiting.splice(0, count)
  }

  #arrive(lane: Lane, verdict: ProduceVerdict): void {
    const records = lane.travelling ?? []
    lane.travelling = undefined
    if (lane.waiting.length > 0) this.#ready.add(lane)
    switch (verdict.kind) {
      case 'acknowledged':
        lane.maxRecords = Math.min(lane.maxRecords * 2, maxBatchRecords)
        lane.lastDetail = notTaken
        for (const one of records) tell(one, verdict)
        return
      case 'unknown':
        for (const one of records) tell(one, verdict)
        this.#refresh()
        return
      case 'try-again':
        this.#putBack(lane, records, verdict.detail)
        this.#pauseLane(lane, verdict.detail)
        return
      case 'refused':
        if (verdict.cause === 'too-large' && records.length > 1) {
          // The topic takes less than we were told: smaller batches find the record that is really too large.
          lane.maxRecords = Math.ceil(records.length / 2)
          this.#putBack(lane, records, verdict.detail)
          return
        }
        for (const one of records) tell(one, notSent(verdict.cause, verdict.detail))
    }
  }

  #putBack(lane: Lane, records: readonly Waiting[], detail: string): void {
    if (this.#closed) {
      for (const one of records) tell(one, notSent('broker-unavailable', detail))
      return
    }
    // One that was told `unknown` meanwhile must not appear in the log after that.
    lane.waiting = [...records.filter(({ settle }) => settle !== undefined), ...lane.waiting]
    if (lane.waiting.length > 0) this.#ready.add(lane)
  }

  #pauseLane(lane: Lane, detail: string): void {
    lane.lastDetail = detail
    lane.paused = true
    this.#refresh()
  }

  #refresh(): void {
    if (this.#refreshing || this.#closed) return
    this.#refreshing = true
    void this.#port.refresh().then(() => {
      if (this.#closed) return
      this.#pause = setTimeout(() => {
        this.#refreshing = false
        for (const lane of this.#all()) {
          lane.paused = false
          if (lane.waiting.length > 0) this.#ready.add(lane)
        }
        this.#flush()
      }, refreshPauseMs)
    })
  }

  /** One timer for all: every record waits equally long, so the oldest stand first. */
  #sweep(): void {
    const now = performance.now()
    let busy = false
    for (const lane of this.#all()) {
      const young = lane.waiting.findIndex(({ expiresAt }) => expiresAt > now)
      const expired = lane.waiting.splice(0, young === -1 ? lane.waiting.length : young)
      for (const one of expired) tell(one, notSent('broker-unavailable', lane.lastDetail))
      for (const one of lane.travelling ?? []) {
        if (one.expiresAt <= now) tell(one, unknown('The broker did not acknowledge in time.'))
      }
      busy ||= lane.waiting.length > 0 || lane.travelling !== undefined
    }
    if (busy) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }
}

function tell(one: Waiting, result: SendResult): void {
  one.settle?.(result)
  one.settle = undefined
}

function recordBytes({ key, value, headers }: KafkaRecord): number {
  let bytes = key.length + value.length + recordOverheadBytes
  if (headers === undefined) return bytes
  for (const [name, text] of Object.entries(headers)) bytes += name.length + Buffer.byteLength(text) + 10
  return bytes
}

function unknown(detail: string): { readonly kind: 'unknown'; readonly detail: string } {
  return { kind: 'unknown', detail }
}
