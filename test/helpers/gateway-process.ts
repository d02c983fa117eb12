import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { vi } from 'vitest'
import { compiledOnce } from './cached-build.ts'

/** The gateway as operators meet it: a process, its output and its exit code. */
export interface GatewayProcess {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Where it listens, read from its start line. */
  url(): Promise<string>
  /** Resolves once its output holds the text. */
  said(text: string): Promise<void>
  /** Its exit code; `null` when a signal ended it. */
  exit(): Promise<number | null>
  /** Kills it, if it still runs. */
  close(): Promise<void>
}

export interface ProcessOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Instead of this Node and the checkout's own program. */
  readonly command?: readonly [program: string, ...args: string[]]
}

export const root = join(import.meta.dirname, '../..')
export const binFile = join(root, 'src/gateway/bin.mjs')

/** Milliseconds that a start or an end may take on a machine that is busy with other tests. */
const patience = { timeout: 30_000, interval: 20 }

export function startProcess(options: ProcessOptions = {}): GatewayProcess {
  const { args = [], env = {}, cwd = root, command = [process.execPath, binFile] } = options
  const [program, ...before] = command
  const child = spawn(program, [...before, ...args], {
    cwd,
    env: { ...plainEnvironment(), ...(options.command === undefined ? compiledOnce : {}), ...env },
    stdio: 'pipe',
  })
  const text = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk
  })
  const ended = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null))
  const said = async (wanted: string): Promise<void> => {
    await vi.waitUntil(() => text.stdout.includes(wanted) || child.exitCode !== null, patience)
    if (!text.stdout.includes(wanted))
      throw new Error(`it ended without saying "${wanted}": ${text.stdout}${text.stderr}`)
  }
  return {
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    said,
    async url() {
      await said('; docs at ')
      const [, url = ''] = /; docs at (http:\/\/[^\s"]+)\/docs/.exec(text.stdout) ?? []
      return url
    },
    exit: () => within(ended),
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await within(ended)
    },
  }
}

/** Runs a command to its end. */
export async function runProcess(
  options: ProcessOptions,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const running = startProcess(options)
  try {
    const code = await running.exit()
    return { code, stdout: running.stdout(), stderr: running.stderr() }
  } finally {
    await running.close()
  }
}

/** Settings of whoever runs the tests must not reach the process. */
function plainEnvironment(): Readonly<Record<string, string | undefined>> {
  const ours = /^(GATEWAY_|KAFKA_|STATEFLOW_|LOG_|NODE_|VITEST|HOST$|PORT$)/
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))), HOST: '127.0.0.1' }
}

async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the process did not end in time')), patience.timeout)
  })
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer))
}
