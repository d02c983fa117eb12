import type { Invocation, Log, Outcome, RecordWatch, StrayReplies } from '../contract.ts'
import type { Canary } from './canary.ts'
import type { KafkaDialect } from './dialect.ts'
import type { PendingCalls } from './pending-calls.ts'
import type { ReplySteering } from './reply-steering.ts'
import type { ReceivedRecord } from './transport.ts'

/** What became of replies since the start. */
export interface ReplyCounters {
  answered: number
  /** For a call whose deadline had passed. */
  late: number
  /** For a call that was answered already. */
  duplicate: number
  /** For another replica's call, or nobody's. */
  foreign: number
  /** Ours, but not readable. */
  unreadable: number
}

export interface ReplyDesk {
  readonly counters: Readonly<ReplyCounters>
  /** Hop 6: finds the waiter by the cheapest look there is, and only then reads the reply. */
  onRecord(record: ReceivedRecord): void
  /** The end of a call that no record tells. */
  onOutcome(id: string, outcome: Outcome): void
}

export interface ReplyDeskOptions {
  readonly dialect: KafkaDialect
  readonly pending: PendingCalls
  readonly canary: Canary
  readonly log: Log
  readonly strays: StrayReplies | undefined
  readonly steering?: ReplySteering | undefined
  readonly watch?: RecordWatch | undefined
}

type ReadFor = (invocation: Invocation) => Outcome | undefined

/** What those who look on are told of a record that is no reply to the call whose id it carries. */
const OF_ANOTHER: Outcome = { kind: 'malformed', detail: 'The record only mentions the call.' }

export function createReplyDesk(options: ReplyDeskOptions): ReplyDesk {
  const { dialect, pending, canary, log, strays, steering, watch } = options
  const counters: ReplyCounters = { answered: 0, late: 0, duplicate: 0, foreign: 0, unreadable: 0 }

  function handleStray(id: string, read: ReadFor, bytes: number): void {
    const bygone = pending.bygone(id)
    switch (bygone.kind) {
      case 'answered':
        counters.duplicate++
        return
      case 'timed-out':
        handleLate(bygone.invocation, read(bygone.invocation))
        return
      case 'foreign':
        counters.foreign++
        strays?.foreign(id, read, bytes)
    }
  }

  function handleLate(invocation: Invocation, outcome: Outcome | undefined): void {
    if (outcome === undefined) {
      counters.foreign++
      return
    }
    counters.late++
    pending.forget(invocation.id)
    strays?.late(invocation, outcome)
  }

  /** `undefined`: it is no reply to this call. */
  function decode(record: ReceivedRecord, invocation: Invocation): Outcome | undefined {
    const end = watch?.decoding(record, invocation)
    const decoded = dialect.decode(record, invocation)
    end?.(decoded.kind === 'foreign' ? OF_ANOTHER : decoded)
    return decoded.kind === 'foreign' ? undefined : decoded
  }

  function noteUnreadable({ topic, partition, offset }: ReceivedRecord, detail: string): void {
    const count = ++counters.unreadable
    // At the 1st, 2nd, 4th, 8th …: a wrong serializer must be seen, and must not fill the log.
    if ((count & (count - 1)) !== 0) return
    log.warn({ topic, partition, offset: String(offset), count, detail }, 'a reply could not be read')
  }

  return {
    counters,
    onRecord(record) {
      watch?.read(record.topic)
      const id = dialect.correlationOf(record)
      steering?.see(id, record)
      const call = id === undefined ? undefined : pending.find(id)
      if (id === undefined || call === undefined) {
        if (canary.take(id, record)) return
        if (id === undefined) counters.foreign++
        else handleStray(id, (invocation) => decode(record, invocation), record.value.length)
        return
      }
      const outcome = decode(record, call.invocation)
      if (outcome === undefined) {
        counters.foreign++
        return
      }
      if (outcome.kind === 'malformed') noteUnreadable(record, outcome.detail)
      else counters.answered++
      pending.settle(call, outcome)
    },
    onOutcome(id, outcome) {
      const call = pending.find(id)
      if (call === undefined) handleStray(id, () => outcome, 0)
      else pending.settle(call, outcome)
    },
  }
}
