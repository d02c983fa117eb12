import type { RecordWatch } from '../../runtime-adapters/contract.ts'
import { metrics } from './metric-definition.ts'
import type { MetricPage } from './metric-page.ts'
import type { Tracing } from './tracing.ts'

const SYSTEM = 'kafka'

/** `undefined` where nobody wants to see anything. */
export function createRecordWatch(page: MetricPage | undefined, tracing: Tracing | undefined): RecordWatch | undefined {
  if (page === undefined && tracing === undefined) return undefined
  const counts = page === undefined ? uncounted : countRecords(page)
  return {
    ...counts,
    sending: (invocation, topic) => tracing?.sending(invocation, topic),
    decoding: (place, invocation) => tracing?.decoding(place, invocation),
  }
}

type Counts = Pick<RecordWatch, 'sent' | 'read'>

const uncounted: Counts = { sent: () => undefined, read: () => undefined }

function countRecords(page: MetricPage): Counts {
  const duration = page.histogram(metrics.sendDuration)
  const sent = page.numbers(metrics.sent)
  const consumed = page.numbers(metrics.consumed)
  return {
    sent(topic, { kind }, durationMs) {
      const error = kind === 'acknowledged' ? '' : kind
      duration.cell(SYSTEM, 'send', topic, error).observe(durationMs / 1_000)
      sent.cell(SYSTEM, 'send', topic, error).value++
    },
    read(topic) {
      consumed.cell(SYSTEM, 'poll', topic).value++
    },
  }
}
