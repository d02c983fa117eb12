import { type Call, createCallers } from './caller.ts'
import type { Cluster } from './cluster.ts'
import { collectAnswers } from './collect.ts'
import { type Fault, pause, seconds } from './fault.ts'
import { nameOf, startLoad } from './load.ts'
import type { Account } from './runtime.ts'
import { describe, judge, type Verdict, verdicts, violations } from './verdict.ts'
import type { Execution } from './work.ts'

export interface Row {
  readonly fault: Fault
  readonly calls: number
  readonly counts: Readonly<Record<Verdict, number>>
  /** What shows that the fault was there. */
  readonly evidence: string
  /** One line for each violation that is worth reading. */
  readonly broken: readonly string[]
}

export interface RowOptions {
  readonly isQuick: boolean
  readonly callsPerSecond: number
  /** Stands in the names of the row's calls. */
  readonly prefix: string
}

/** Milliseconds of load before a fault and after it; in the shorter form, too. */
const AROUND_MS = 2_000
const QUICK_AROUND_MS = 700
/** Calls are prepared for a row of this length; a longer one would find some missing. */
const LONGEST_ROW_SECONDS = 60
const SHOWN_ATTEMPTS = 8
const SHOWN_VIOLATIONS = 8

export async function runRow(fault: Fault, cluster: Cluster, options: RowOptions): Promise<Row> {
  const { isQuick, callsPerSecond, prefix } = options
  const { runtime } = cluster
  await runtime.forget()
  await fault.prepare?.(cluster)
  const callers = createCallers({ ...cluster, isQuick })
  const aroundMs = isQuick ? QUICK_AROUND_MS : AROUND_MS
  await runtime.prepare(
    Array.from({ length: callsPerSecond * LONGEST_ROW_SECONDS }, (_, index) => nameOf(prefix, index)),
  )
  const load = startLoad({ callers, prefix, callsPerSecond })
  const trouble: string[] = []
  let evidence = ''
  try {
    await pause(aroundMs)
    evidence = await fault.inject({ cluster, load, isQuick })
    await pause(aroundMs)
  } catch (error) {
    trouble.push(error instanceof Error ? error.message : String(error))
    await mend(cluster)
  }
  await load.stop()
  const names = load.calls.map(({ name }) => name)
  const replied = repliedCalls(await runtime.account(names))
  const { urls } = cluster
  await collectAnswers(load.calls, { callers, urls, isQuick, isDue: ({ name }) => replied.has(name) })
  const { executions } = await runtime.account(names)
  await fault.restore?.(cluster)
  const row = judgeAll(load.calls, executions, cluster.isPeer)
  return { fault, evidence, calls: load.calls.length, ...row, broken: [...trouble, ...row.broken] }
}

function repliedCalls({ executions }: Account): ReadonlySet<string> {
  return new Set(executions.filter(({ replied }) => replied).map(({ call }) => call))
}

function judgeAll(
  calls: readonly Call[],
  executions: readonly Execution[],
  isPeer: boolean,
): Pick<Row, 'counts' | 'broken'> {
  const byCall = Map.groupBy(executions, ({ call }) => call)
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>
  const kinds = new Map<string, { readonly example: Call; times: number }>()
  for (const call of calls) {
    const { verdict, why } = judge(call, byCall.get(call.name) ?? [], isPeer)
    counts[verdict]++
    if (!violations.includes(verdict)) continue
    const kind = kinds.get(`${verdict}: ${why}`) ?? { example: call, times: 0 }
    kind.times++
    kinds.set(`${verdict}: ${why}`, kind)
  }
  const broken = [...kinds]
    .slice(0, SHOWN_VIOLATIONS)
    .map(
      ([what, { example, times }]) =>
        `${times} × ${what}; e.g. ${example.name} (${example.kind}) saw ${historyOf(example)}`,
    )
  return { counts, broken }
}

/** What the caller saw, with the seconds that each attempt took. */
function historyOf({ attempts, collected }: Call): string {
  const seen = attempts.map(
    ({ exchange, tookMs, replica }) => `${describe(exchange)} from ${replica.slice(-5)} in ${seconds(tookMs)}`,
  )
  return [...seen, ...(collected === undefined ? [] : [`collected ${describe(collected)}`])]
    .slice(-SHOWN_ATTEMPTS)
    .join(', ')
}

/** After a fault that went wrong itself: the next row is to start from a whole cluster. */
async function mend({ runtime, replicas }: Cluster): Promise<void> {
  runtime.resume()
  await runtime.behave({})
  await Promise.all(replicas.filter(({ alive }) => !alive).map((replica) => replica.start()))
}
