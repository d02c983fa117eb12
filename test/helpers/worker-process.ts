import type { GatewayProcess } from './gateway-process.ts'
import { until } from './until.ts'

/** Milliseconds: a start is that of several processes, on a machine that others load too. */
const START_MS = 120_000

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // A JSON object, read by each test as what it expects.
  readonly body: Record<string, unknown>
}

/** Each on a connection of its own, which the workers take in turn, where nothing else is said. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { connection: 'close', ...init.headers }
  const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(20_000) })
  const text = await response.text()
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: response.status, headers: response.headers, text, body }
}

export interface LogLine {
  readonly msg: string
  readonly pid: number
  readonly worker?: number
  /** Which are read, where it says so. */
  readonly partitions?: string
}

/** What it has logged. */
export function linesOf(gateway: GatewayProcess): readonly LogLine[] {
  const whole = gateway.stdout().split('\n').slice(0, -1)
  // A line that is torn apart fails here.
  return whole.map((line) => JSON.parse(line) as LogLine)
}

/** The process that serves, or has served last, as this worker. */
export function pidOf(gateway: GatewayProcess, worker: number): number {
  return linesOf(gateway).findLast((line) => line.worker === worker && line.msg.endsWith('serves'))?.pid ?? 0
}

/** Where all workers serve. */
export async function urlOf(gateway: GatewayProcess): Promise<string> {
  const hasBegun = () => gateway.stdout().includes('; docs at ') || gateway.child.exitCode !== null
  await until('it serves', hasBegun, START_MS)
  return gateway.url()
}
