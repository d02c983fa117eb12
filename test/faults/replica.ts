import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { until } from '../helpers/until.ts'

/** One process that can be ended and started again at the same address. */
export interface Replica {
  readonly url: string
  readonly alive: boolean
  isReady(): Promise<boolean>
  /** Resolves when it is ready for calls. */
  start(extra?: ReplicaExtra): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM. @returns its exit code (`null`: it had to be killed) and how long it took */
  terminate(): Promise<{ readonly code: number | null; readonly tookMs: number }>
  /** Resident memory. */
  rssBytes(): number
  /** The last of what it wrote. */
  output(): string
}

export interface ReplicaExtra {
  readonly execArgv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const START_LIMIT_MS = 60_000
/** Milliseconds beyond its grace after which a replica that was told to end counts as stuck. */
const STUCK_AFTER_MS = 5_000
export const GRACE_MS = 8_000
const KEPT_OUTPUT_CHARS = 20_000

/** What a replica runs. */
export interface Program {
  readonly command: readonly [program: string, ...args: string[]]
  readonly env: Readonly<Record<string, string>>
  /** Answers 2xx once calls can be taken. */
  readonly readyPath: string
}

export function createReplica(port: number, { command, env, readyPath }: Program): Replica {
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  let output = ''
  const isAlive = () => child !== undefined && child.exitCode === null && child.signalCode === null
  const onExit = () => child?.kill('SIGKILL')
  process.on('exit', onExit)

  async function end(signal: NodeJS.Signals, limitMs: number): Promise<number | null> {
    const ending = child
    if (ending === undefined || !isAlive()) return ending?.exitCode ?? null
    const gone = once(ending, 'exit')
    ending.kill(signal)
    const timer = setTimeout(() => ending.kill('SIGKILL'), limitMs)
    await gone
    clearTimeout(timer)
    return ending.exitCode
  }

  return {
    url,
    get alive() {
      return isAlive()
    },
    async start({ execArgv = [], env: more = {} } = {}) {
      const [program, ...args] = command
      const started = spawn(program, [...execArgv, ...args], {
        env: { ...process.env, ...env, ...more, HOST: '127.0.0.1', PORT: String(port) },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const keep = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-KEPT_OUTPUT_CHARS)
      }
      started.stdout.on('data', keep)
      started.stderr.on('data', keep)
      child = started
      await until(
        `${url} is ready`,
        async () => {
          if (!isAlive()) throw new Error(`a replica ended at its start:\n${output.slice(-2_000)}`)
          return isReady(url, readyPath)
        },
        START_LIMIT_MS,
      )
    },
    isReady: () => isReady(url, readyPath),
    async kill() {
      await end('SIGKILL', START_LIMIT_MS)
    },
    async terminate() {
      const begun = Date.now()
      const code = await end('SIGTERM', GRACE_MS + STUCK_AFTER_MS)
      return { code, tookMs: Date.now() - begun }
    },
    rssBytes() {
      const status = readFileSync(`/proc/${child?.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024
    },
    output: () => output,
  }
}

async function isReady(url: string, path: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
