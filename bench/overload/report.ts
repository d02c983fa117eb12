import type { Machine } from '../machine.ts'
import type { Figures } from './figures.ts'
import type { Overload } from './measure.ts'
import type { OverloadOptions } from './options.ts'

/** One line of the acceptance. */
export interface Verdict {
  readonly what: string
  readonly figure: string
  readonly isMet: boolean
}

const MIB = 1_048_576

export function verdictsOf(measured: Overload, { capacity }: OverloadOptions): readonly Verdict[] {
  const {
    light,
    overload,
    after,
    recoverySeconds: recovery,
    heapBytes,
    others,
    othersBesideHot,
    hot: hotKey,
  } = measured
  const [secondHeap, lastHeap] = heapBytes
  const goodShare = overload.goodPerSecond / capacity
  const latency = overload.p99Ms / light.p99Ms
  const hot = othersBesideHot.p99Ms / others.p99Ms - 1
  const lost = sum([light, overload, after, others, othersBesideHot, hotKey].map(({ failed }) => failed))
  // The calls of the hot key and those beside it are of one phase, and so is the number of unsent ones.
  const spoilt = sum([light, overload, after, others, hotKey].map(({ unsent }) => unsent))
  return [
    {
      what: 'Goodput at 4 times the capacity is at least 80 % of the capacity',
      figure: `${percent(goodShare)} (${round(overload.goodPerSecond)} of ${capacity} calls/s)`,
      isMet: goodShare >= 0.8,
    },
    {
      what: 'p99 of admitted calls is at most 3 times what it is at half of the capacity',
      figure: `${latency.toFixed(2)} times (${round(overload.p99Ms)} against ${round(light.p99Ms)} ms)`,
      isMet: latency <= 3,
    },
    {
      what: 'The heap is bounded: its most in the last third is at most 1.25 times its most in the second',
      figure: `${round(secondHeap / MIB)} → ${round(lastHeap / MIB)} MiB`,
      isMet: lastHeap <= 1.25 * secondHeap,
    },
    {
      what: 'Back at half of the capacity, all is as before within 5 s',
      figure: Number.isFinite(recovery) ? `${recovery} s` : 'not within the time that was measured',
      isMet: recovery <= 5,
    },
    {
      what: 'A hot key at 10 times the load of all others together raises their p99 by at most 25 %',
      figure: `${hot >= 0 ? '+' : ''}${percent(hot)} (${round(others.p99Ms)} → ${round(othersBesideHot.p99Ms)} ms)`,
      isMet: hot <= 0.25,
    },
    {
      what: 'No call ends otherwise than by 200 or 503, none of the others is refused, and every call that was due was sent',
      figure: `${lost} failed, ${round(othersBesideHot.refusedPerSecond)} refused/s, ${spoilt} unsent`,
      isMet: lost === 0 && spoilt === 0 && othersBesideHot.refusedPerSecond === 0,
    },
  ]
}

export interface Page {
  readonly machine: Machine
  readonly options: OverloadOptions
  readonly bounded: Overload
  readonly unbounded: Overload | undefined
}

export function renderOverload({ machine, options, bounded, unbounded }: Page): string {
  const { workers, serviceMs, capacity, overloadSeconds } = options
  const verdicts = verdictsOf(bounded, options).map(
    ({ what, figure, isMet }) => `| ${what} | ${figure} | ${isMet ? 'PASS' : 'FAIL'} |`,
  )
  return `# Overload

<!-- Written by \`npm run bench:overload\`. -->

A runtime over real Kafka that works on ${workers} calls at a time for ${serviceMs} ms each, calls of one key one after the other: ${capacity} calls a
second. In front of it a gateway with \`GATEWAY_ADAPTIVE=true\` and what is listed below; callers who come at a steady pace whether or
not they are answered, for ${overloadSeconds} s at 4 times the capacity. Latencies count from when a call was due. Figures of one machine, with callers,
gateway, broker and runtime on it.

${Object.entries(machine)
  .map(([name, value]) => `- ${name}: ${value}`)
  .join('\n')}

| acceptance | figure | |
|---|---|---|
${verdicts.join('\n')}

## The phases

| phase | answered/s | refused/s | p50 ms | p99 ms |
|---|---:|---:|---:|---:|
${rowsOf(bounded).join('\n')}

The limit was ${round(bounded.limit)} calls on average.
${unbounded === undefined ? '' : contrast(unbounded)}`
}

function contrast(unbounded: Overload): string {
  return `
## Without limits

The same with \`GATEWAY_ADAPTIVE=false\` and \`GATEWAY_MAX_IN_FLIGHT_PER_KEY=0\`: what the limits are for.

| phase | answered/s | refused/s | p50 ms | p99 ms |
|---|---:|---:|---:|---:|
${rowsOf(unbounded).join('\n')}
`
}

function rowsOf({ light, overload, after, others, othersBesideHot, hot }: Overload): readonly string[] {
  const row = (name: string, { goodPerSecond, refusedPerSecond, p50Ms, p99Ms }: Figures) =>
    `| ${name} | ${[goodPerSecond, refusedPerSecond, p50Ms, p99Ms].map(round).join(' | ')} |`
  return [
    row('half of the capacity', light),
    row('4 times the capacity', overload),
    row('half of the capacity again', after),
    row('some keys', others),
    row('the same beside a hot key', othersBesideHot),
    row('the hot key', hot),
  ]
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}
