import { renderTable } from './markdown-table.ts'
import { type OpenLoopSample, REFERENCE } from './open-loop-run.ts'
import { times } from './pace.ts'
import { type Blame, blame } from './pauses.ts'
import { unexplained } from './ratios.ts'
import { cpuOf, median, rate, spread } from './statistics.ts'

const HEADINGS = [
  ...[
    'contender',
    'planned/s',
    'answered/s',
    'p50 ms',
    'p99 ms',
    'max ms',
    'p99 ÷ p50',
    'CPU ms/1k',
    'over 250 ms',
    'unanswered',
    'unexplained',
  ],
  ...['GC max ms', 'slowest second', 'errors'],
]
/** Slow calls that are listed one by one. */
const MAX_LISTED = 10

/** The section on calls at fixed rates. */
export function renderOpenLoops(samples: readonly OpenLoopSample[]): readonly string[] {
  if (samples.length === 0) return []
  const kinds = [...new Set(samples.map(kindOf))]
  const usualMs = median(samples.flatMap(({ pace }) => pace?.usualMs ?? []))
  return [
    '## Calls at fixed rates',
    '',
    `An open loop: calls are sent when they were planned to be, over at most 512 connections, and a latency begins at the planned time. 70 %`,
    `and 30 % are shares of what \`${REFERENCE}\` did in its closed loop with the most calls under way; the rest is one rate for everybody who`,
    'can take it. *unanswered* are the calls over 250 ms that had no answer when the window ended, whether sent or not: no other figure has them',
    'but *over 250 ms* and *unexplained*. A call over 250 ms counts as explained when a pause lay in it for at least half of its time: of the contender’s garbage',
    'collector (*GC max* is the longest), of the load generator, or of the broker (a produce of the worker that it answered after 50 ms or more).',
    'That the machine was slow explains nothing here, but is shown: *slowest second* says how long the same piece of work took then, against its',
    'usual time.',
    '',
    ...renderTable([
      HEADINGS,
      ...kinds.map((kind) =>
        renderRow(
          samples.filter((each) => kindOf(each) === kind),
          usualMs,
        ),
      ),
    ]),
    '',
    ...renderSlow(samples, usualMs),
  ]
}

function kindOf({ contender, plan }: OpenLoopSample): string {
  return `${contender} ${plan.name}`
}

/** @param usualMs the machine's usual pace */
function renderRow(own: readonly OpenLoopSample[], usualMs: number): readonly string[] {
  const [first] = own
  if (first === undefined) return []
  const ms = (pick: (sample: OpenLoopSample) => number) =>
    spread(
      own.map((sample) => pick(sample) / 1_000),
      2,
    )
  const sum = (pick: (sample: OpenLoopSample) => number) => String(own.reduce((all, sample) => all + pick(sample), 0))
  const longest = (sample: OpenLoopSample) =>
    Math.max(0, ...sample.pauses.contender.map(({ startMs, endMs }) => endMs - startMs))
  const share = first.plan.name === 'common' ? '' : `, ${first.plan.name}`
  return [
    `${first.contender}${share}`,
    Math.round(median(own.map(({ plan }) => plan.ratePerS))).toLocaleString('en-US'),
    Math.round(median(own.map(rate))).toLocaleString('en-US'),
    ms(({ p50Us }) => p50Us),
    ms(({ p99Us }) => p99Us),
    ms(({ maxUs }) => maxUs),
    median(own.map(({ p50Us, p99Us }) => p99Us / p50Us)).toFixed(1),
    median(own.map(cpuOf)).toFixed(1),
    sum(({ slow }) => slow.length),
    sum(({ unanswered }) => unanswered),
    sum(unexplained),
    Math.max(...own.map(longest)).toFixed(0),
    slowestSecond(own, usualMs),
    sum(({ errors }) => errors),
  ]
}

/** Against the machine's usual pace; empty where nobody took it. */
function slowestSecond(own: readonly OpenLoopSample[], usualMs: number): string {
  const paces = own.flatMap(({ pace }) => pace ?? [])
  return paces.length === 0 ? '' : times(Math.max(...paces.map(({ slowestMs }) => slowestMs)) / usualMs)
}

/** The slow calls of the contender that the bound is for. */
function renderSlow(samples: readonly OpenLoopSample[], usualMs: number): readonly string[] {
  const slow = samples
    .filter(({ contender }) => contender === REFERENCE)
    .flatMap((sample) => sample.slow.map((call) => ({ ...call, sample, cause: blame(call, { ...sample.pauses }) })))
  if (slow.length === 0) return [`No call of \`${REFERENCE}\` took over 250 ms.`, '']
  const listed = slow.slice(0, MAX_LISTED).map(({ startMs, endMs, sample, cause }) => {
    const what = `${Math.round(endMs - startMs)} ms: ${describe(cause)}`
    return `- round ${sample.round}, ${sample.plan.name}, slowest second ${slowestSecond([sample], usualMs)}: ${what}`
  })
  const more = slow.length > MAX_LISTED ? [`- and ${slow.length - MAX_LISTED} more`] : []
  return [`Calls of \`${REFERENCE}\` over 250 ms:`, '', ...listed, ...more, '']
}

const NAMES: Readonly<Record<string, string>> = {
  contender: 'its garbage collector paused',
  broker: 'the broker, or the worker, paused',
  load: 'the load generator paused',
}

function describe(cause: Blame | undefined): string {
  return cause === undefined
    ? 'no pause explains it'
    : `${NAMES[cause.who] ?? cause.who} for ${Math.round(cause.ms)} ms of it`
}
