import type { RecordWatch } from '../../runtime-adapters/contract.ts'
import type { Histogram } from './histogram.ts'
import { metrics } from './metric-definition.ts'
import type { Cell, MetricPage } from './metric-page.ts'
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
  // By topic: labels are put together once.
  const acknowledged = new Map<string, { readonly duration: Histogram; readonly sent: Cell }>()
  const read = new Map<string, Cell>()

  function cellsOf(topic: string, error: string) {
    return {
      duration: duration.cell(SYSTEM, 'send', topic, error),
      sent: sent.cell(SYSTEM, 'send', topic, error),
    }
  }

  return {
    sent(topic, { kind }, durationMs) {
      let cells = kind === 'acknowledged' ? acknowledged.get(topic) : cellsOf(topic, kind)
      if (cells === undefined) {
        cells = cellsOf(topic, '')
        acknowledged.set(topic, cells)
      }
      cells.duration.observe(durationMs / 1_000)
      cells.sent.value++
    },
    read(topic) {
      let cell = read.get(topic)
      if (cell === undefined) {
        cell = consumed.cell(SYSTEM, 'poll', topic)
        read.set(topic, cell)
      }
      cell.value++
    },
  }
}
