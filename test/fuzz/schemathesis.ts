import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { cachedBuild } from '../helpers/cached-build.ts'
import { runCommand } from '../helpers/run-command.ts'
import { missingProgram, pythonCommand } from '../helpers/stateflow-sources.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'

const PACKAGE = 'schemathesis==4.32.5'
const ROUND_TIMEOUT_MS = 15 * 60_000

/** Why it can't be installed here; `undefined` where it can, and in CI, where nothing may be missing. */
export function schemathesisUnavailable(): string | undefined {
  if (process.env.CI !== undefined) return undefined
  return missingProgram(pythonCommand(), ['-c', 'import venv, ensurepip, sys; assert sys.version_info >= (3, 10)'])
}

/** @returns the program */
export async function installSchemathesis(): Promise<string> {
  const folder = await cachedBuild({
    name: 'schemathesis',
    inputs: [pythonCommand(), PACKAGE],
    build: async (path) => {
      await runCommand(pythonCommand(), ['-m', 'venv', path], { timeoutMs: 120_000 })
      await runCommand(join(path, 'bin/python'), ['-m', 'pip', 'install', '-q', PACKAGE], { timeoutMs: 300_000 })
    },
  })
  return join(folder, 'bin/st')
}

export interface Round {
  readonly program: string
  readonly url: string
  /** The document as this caller sees it. */
  readonly document: object
  /** Of the document's security schemes, with what they take. */
  readonly credentials: Readonly<Record<'bearer', string>> | Readonly<Record<'api_key', string>>
  readonly seed: number
  /** For each operation, and scenarios. */
  readonly maxExamples: number
  /** Left out: all of them. */
  readonly phases?: 'stateful'
  /** Sent with every request. */
  readonly prefer?: string
}

/** What Schemathesis itself reports of a round. */
export interface RoundReport {
  readonly cases: number
  /** With failures or errors; 0 is what is wanted. */
  readonly failed: number
  readonly operations: number
  /** Steps that an answer's link led to, by the link's name; links that Schemathesis guessed are not counted. */
  readonly links: ReadonlyMap<string, number>
  /** Phases that have run to their end. */
  readonly phases: readonly string[]
  readonly text: string
}

export async function fuzz(round: Round): Promise<RoundReport> {
  const folder = createTemporaryFolder()
  try {
    const [report, events] = [join(folder.path, 'report.json'), join(folder.path, 'events.ndjson')]
    const text = await runProgram(round.program, [
      ...['--config-file', folder.write('schemathesis.toml', settings(round)), 'run', '--no-color'],
      ...['--url', round.url, '--seed', String(round.seed), '--generation-database', 'none', '--continue-on-failure'],
      ...['--report', 'json,ndjson', '--report-json-path', report, '--report-ndjson-path', events],
      ...(round.phases === undefined ? [] : ['--phases', round.phases]),
      ...(round.prefer === undefined ? [] : ['-H', `Prefer: ${round.prefer}`]),
      folder.write('openapi.json', round.document),
    ])
    return { ...numbersOf(readReport(report, text)), links: linksIn(readFileSync(events, 'utf8')), text }
  } finally {
    folder.close()
  }
}

/** All checks are on; what is said here is what they can't know. */
function settings({ credentials, maxExamples }: Round): string {
  const [way] = Object.entries(credentials)
  if (way === undefined) throw new Error('no credentials')
  const scheme = way[0] === 'bearer' ? 'bearer' : 'apiKey'
  return `
hooks = "json_lines"
[cache]
enabled = false
[auth.openapi.${scheme}]
${way[0]} = "${way[1]}"
[generation]
max-examples = ${maxExamples}
[phases.stateful]
max-steps = 12
[phases.stateful.generation]
max-examples = ${4 * maxExamples}
[checks]
# 422: a method raised, or an idempotency key was used before; no schema says when.
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429"]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "429", "431"]
[dictionaries]
wishes = { values = ["respond-async", "wait=1", "return=minimal", "respond-async, wait=1"] }
[parameters]
"header.prefer" = { dictionary = "wishes", probability = 0.5 }
# The status of a batch goes out before its first line comes: a line that is wrong has its own problem.
[[operations]]
include-path = "/-/batch"
checks.negative_data_rejection.enabled = false
`
}

async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, {
    env: { ...process.env, PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: ROUND_TIMEOUT_MS,
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  await once(child, 'close')
  return text
}

/** The part of the report that is looked at here. */
interface WrittenReport {
  readonly complete: boolean
  readonly operations: { readonly tested: number }
  readonly phases: Readonly<Record<string, { readonly status: string }>>
  readonly test_cases: { readonly generated: number; readonly with_failures: number; readonly errored: number }
  readonly errors: readonly { readonly count: number }[]
}

function readReport(path: string, text: string): WrittenReport {
  try {
    // Written by the version above.
    return JSON.parse(readFileSync(path, 'utf8')) as WrittenReport
  } catch {
    throw new Error(`Schemathesis left no report:\n${text.slice(-4_000)}`)
  }
}

function numbersOf({ complete, operations, phases, test_cases, errors }: WrittenReport) {
  const errorCount = errors.reduce((sum, { count }) => sum + count, 0)
  return {
    cases: test_cases.generated,
    failed: test_cases.with_failures + test_cases.errored + errorCount + (complete ? 0 : 1),
    operations: operations.tested,
    phases: Object.entries(phases).flatMap(([name, { status }]) => (status === 'success' ? [name] : [])),
  }
}

/** One event a line, of which those are looked at that end a scenario. */
interface WrittenEvent {
  readonly ScenarioFinished?: {
    readonly recorder: { readonly cases?: Readonly<Record<string, WrittenCase>> }
  }
}

interface WrittenCase {
  readonly is_transition_applied: boolean
  readonly transition?: { readonly id: string; readonly is_inferred: boolean } | null
}

function linksIn(events: string): ReadonlyMap<string, number> {
  const links = new Map<string, number>()
  for (const line of events.split('\n').filter((text) => text !== '')) {
    // Written by the version above.
    const { ScenarioFinished: ended } = JSON.parse(line) as WrittenEvent
    for (const { transition, is_transition_applied } of Object.values(ended?.recorder.cases ?? {})) {
      if (!is_transition_applied || transition == null || transition.is_inferred) continue
      links.set(transition.id, (links.get(transition.id) ?? 0) + 1)
    }
  }
  return links
}
