import { memberOf, subjectOf } from '../../routes/target.ts'
import type { Invoke, Outcome, Target } from '../../runtime-adapters/contract.ts'
import type { Histogram } from './histogram.ts'
import { metrics } from './metric-definition.ts'
import type { Cell, MetricPage } from './metric-page.ts'

/** A link of the chain: counts what comes of calls, and how long runtimes take to answer. */
export function createCallMetrics(page: MetricPage): (invoke: Invoke) => Invoke {
  const calls = page.numbers(metrics.calls)
  const latencies = page.histogram(metrics.replyLatency)
  /** By descriptor and kind of target: labels are put together once. */
  const known = new WeakMap<object, Map<Target['kind'], TargetCells>>()

  function cellsOf(target: Target): TargetCells {
    const subject = subjectOf(target)
    const found = known.get(subject)?.get(target.kind)
    if (found !== undefined) return found
    const labels = [target.entity.name, target.kind, memberOf(target)]
    const made: TargetCells = { labels, outcomes: new Map(), latency: undefined }
    known.set(subject, (known.get(subject) ?? new Map<Target['kind'], TargetCells>()).set(target.kind, made))
    return made
  }

  function outcomeCell({ labels, outcomes }: TargetCells, outcome: Outcome): Cell {
    const cause = causeOf(outcome)
    const name = cause === '' ? outcome.kind : `${outcome.kind} ${cause}`
    const found = outcomes.get(name)
    if (found !== undefined) return found
    const made = calls.cell(...labels, outcome.kind, cause)
    outcomes.set(name, made)
    return made
  }

  function note(target: Target, outcome: Outcome, startedAtMs: number): void {
    const cells = cellsOf(target)
    outcomeCell(cells, outcome).value++
    if (!isAnswer(outcome)) return
    cells.latency ??= latencies.cell(...cells.labels)
    cells.latency.observe((performance.now() - startedAtMs) / 1_000)
  }

  // Not an async function: its frame would be kept for as long as the call waits.
  return (invoke) => (invocation) => {
    const { target } = invocation
    const startedAtMs = performance.now()
    return invoke(invocation).then((outcome) => {
      note(target, outcome, startedAtMs)
      return outcome
    })
  }
}

interface TargetCells {
  readonly labels: readonly string[]
  readonly outcomes: Map<string, Cell>
  latency: Histogram | undefined
}

function isAnswer({ kind }: Outcome): boolean {
  return kind !== 'not-sent' && kind !== 'unknown'
}

function causeOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'not-sent':
    case 'unknown':
      return outcome.cause
    case 'rejected':
      return outcome.reason
    case 'returned':
    case 'created':
    case 'raised':
    case 'malformed':
      return ''
  }
}
