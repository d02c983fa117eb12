import type { Invocation, InvocationContext, Invoke, Outcome, RecordWatch, StrayReplies } from '../contract.ts'
import type { KafkaDialect } from './dialect.ts'
import { notSent } from './not-sent.ts'
import type { PendingCall, PendingCalls } from './pending-calls.ts'
import type { KafkaRecord, SendResult } from './transport.ts'

export interface CallSenderOptions {
  readonly dialect: KafkaDialect
  readonly pending: PendingCalls
  /** Never rejects, and what it says of the record is true. */
  readonly send: (record: KafkaRecord, invocation: Invocation) => Promise<SendResult>
  readonly strays?: Pick<StrayReplies, 'late'> | undefined
  readonly watch?: RecordWatch | undefined
}

export interface CallSender {
  readonly invoke: Invoke
  readonly counters: Readonly<Record<'overloaded' | 'notSent' | 'sendUnknown', number>>
}

/** Hops 4 and 5: the waiter first, then the send. */
export function createCallSender({ dialect, pending, send, strays, watch }: CallSenderOptions): CallSender {
  const counters = { overloaded: 0, notSent: 0, sendUnknown: 0 }

  function note(call: PendingCall, result: SendResult): void {
    switch (result.kind) {
      case 'acknowledged':
        pending.acknowledge(call)
        if (call.isWaiting) call.invocation.onAccepted?.()
        return
      case 'not-sent':
        counters.notSent++
        giveBack(call, result)
        return
      case 'unknown':
        // The record may be in the log, so its answer may still come: the waiter stays until the deadline.
        counters.sendUnknown++
        pending.doubt(call, result.detail)
    }
  }

  /** A caller whose deadline has passed was told that nobody knows; now somebody does. */
  function giveBack(call: PendingCall, outcome: Outcome): void {
    if (call.isWaiting) {
      pending.settle(call, outcome)
      return
    }
    const bygone = pending.bygone(call.invocation.id)
    if (bygone.kind !== 'timed-out') return
    pending.forget(call.invocation.id)
    strays?.late(bygone.invocation, outcome)
  }

  function begin(invocation: Invocation): PendingCall | Outcome {
    if (invocation.deadline <= Date.now()) {
      return notSent('overloaded', 'The deadline passed before the call could be sent.')
    }
    const record = dialect.encode(invocation)
    if ('kind' in record) return record
    if (record.key.length === 0 || record.value.length === 0) {
      throw new Error(`the ${dialect.name} dialect made a record without a key or a value`)
    }
    const followed = watch?.sending(invocation, record.topic)
    const sent = followed === undefined ? invocation : { ...invocation, context: followed.context }
    const call = pending.open(sent, record.value.length)
    if (call === undefined) {
      counters.overloaded++
      const full = notSent('overloaded', `${pending.size} calls wait for their answers already.`)
      followed?.end(full)
      return full
    }
    const startedAtMs = performance.now()
    void send(withTrace(record, sent.context), sent).then((result) => {
      watch?.sent(record.topic, result, performance.now() - startedAtMs)
      followed?.end(result)
      note(call, result)
    })
    return call
  }

  return {
    counters,
    // Not an async function: its frame and promise would be kept for as long as the call waits.
    invoke(invocation) {
      try {
        const begun = begin(invocation)
        return 'outcome' in begun ? begun.outcome : Promise.resolve(begun)
      } catch (error) {
        return Promise.reject(error)
      }
    },
  }
}

/** Runtimes that pass records on may pass their headers on too; those that don't lose nothing. */
function withTrace(record: KafkaRecord, { traceparent, tracestate }: InvocationContext): KafkaRecord {
  if (traceparent === undefined) return record
  const trace = tracestate === undefined ? { traceparent } : { traceparent, tracestate }
  return { ...record, headers: { ...record.headers, ...trace } }
}
