import type { Machine } from '../../bench/machine.ts'
import type { Row } from './row.ts'
import { type Verdict, verdicts } from './verdict.ts'

export interface PageOptions {
  readonly machine: Machine
  readonly isQuick: boolean
  readonly tookMs: number
}

const titles: Readonly<Record<Verdict, string>> = {
  answered: 'answered',
  collected: 'late but collected',
  'not-sent': 'honest not sent',
  unknown: 'honest unknown',
  lost: 'lost',
  wrong: 'wrong',
  hanging: 'hanging',
  'executed-twice': 'executed twice for one key',
}

export interface Table {
  readonly name: string
  /** What a reader must know to compare its numbers. */
  readonly note: string
  readonly isPeer: boolean
  readonly rows: readonly Row[]
}

export function renderTable(rows: readonly Row[]): string {
  const head = ['fault', 'calls', ...verdicts.map((verdict) => titles[verdict]), 'seen']
  const lines = rows.map(({ fault, calls, counts, evidence }) => [
    fault.name,
    String(calls),
    ...verdicts.map((verdict) => String(counts[verdict])),
    evidence,
  ])
  const sums = ['**all**', String(sum(rows.map(({ calls }) => calls)))]
  const totals = verdicts.map((verdict) => `**${sum(rows.map(({ counts }) => counts[verdict]))}**`)
  return [
    head,
    head.map((_, at) => (at === 0 || at === head.length - 1 ? '---' : '--:')),
    ...lines,
    [...sums, ...totals, ''],
  ]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('')
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

export function renderPage(tables: readonly Table[], { machine, isQuick, tookMs }: PageOptions): string {
  const facts = Object.entries(machine).map(([name, value]) => `| ${name} | ${value} |\n`)
  const faults = new Map(tables.flatMap(({ rows }) => rows.map(({ fault }) => [fault.name, fault.what])))
  const whats = [...faults].map(([name, what]) => `- **${name}**: ${what}\n`)
  return `# Fault matrix

<!-- Written by \`npm run faults\`. -->

Three gateways that share one Redis stand before three Kafka brokers and one runtime. Under load, one thing after the other is
broken and mended. The run took ${Math.ceil(tookMs / 60_000)} minutes${isQuick ? ' (short form)' : ''}. **lost**, **wrong**, **hanging** and **executed twice** must be 0
for the gateway.

${tables.map(({ name, note, rows }) => `## ${name}\n\n${note}\n\n${renderTable(rows)}\n`).join('')}${definitions}
## The faults

${whats.join('')}
## Where it ran

| | |
|---|---|
${facts.join('')}`
}

const definitions = `## What the columns mean

The load is a mix: of twenty calls eight wait for their answer (\`plain\`), five ask for 202 (\`Prefer: respond-async\`), and seven
carry an \`Idempotency-Key\`, two of them sent to two replicas at once and one with 202. A call with a key is sent again, to the next replica, after a
broken connection and wherever the problem's \`retry\` allows it; a call without one is sent once. The runtime writes down every
execution with the call's name and what it returned; executions are counted there. Each call gets exactly one verdict, the first
of these that fits, from right to left in the table:

- **executed twice for one key**: the runtime executed a call with an idempotency key more than once.
- **hanging**: an attempt had no answer 5 s after its deadline.
- **wrong**: an answer's value is none that the runtime returned to this call; or the caller was told \`not_sent\` (or was refused a connection) every time and
  the runtime executed it; or 202, it was never executed, and its \`Location\` does not say so; or a call without a key was executed twice; or a status that no
  fault explains.
- **lost**: the caller was given a \`Location\`, the runtime's readable reply is in the log, and the answer could not be collected within
  20 s after the fault.
- **answered**: the right answer came on the call's own connection.
- **late but collected**: the right answer was found at the \`Location\` of a 202 or 504, on any replica.
- **honest not sent**: every attempt was told \`not_sent\`, or found nobody listening, or the \`Location\` says so in the end; and the
  runtime never executed it.
- **honest unknown**: \`outcome: unknown\`, or a broken connection without a key; the call may have been executed or not.

`
