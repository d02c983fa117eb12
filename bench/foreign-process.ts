import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Usage } from './parent-channel.ts'
import { cpuMsOf, rssBytesOf } from './process-cpu.ts'

/** A process that is none of ours: its CPU and memory are what Linux says of it. */
export interface ForeignProcess {
  usage(): Usage
  /** @throws Error with the last of its output when it ends, or is not ready in time */
  until(isReady: () => Promise<boolean>, withinMs: number): Promise<void>
  close(): Promise<void>
}

export interface ForeignOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

const CLOSE_TIMEOUT_MS = 5_000
const POLL_MS = 100

export function startForeign({ command, args, cwd, env = {} }: ForeignOptions): ForeignProcess {
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.on('error', (error) => keep(Buffer.from(error.message)))
  const onExit = () => child.kill('SIGKILL')
  process.on('exit', onExit)
  const pids = child.pid === undefined ? [] : [child.pid]
  return {
    usage: () => ({ cpuMicros: cpuMsOf(pids) * 1_000, rssBytes: rssBytesOf(pids) }),
    async until(isReady, withinMs) {
      const deadline = Date.now() + withinMs
      while (!(await isReady().catch(() => false))) {
        const isGone = child.pid === undefined || hasEnded(child)
        if (isGone || Date.now() > deadline) throw new Error(`${command} was not ready: ${output.trim()}`)
        await sleep(POLL_MS)
      }
    },
    async close() {
      process.off('exit', onExit)
      if (child.pid === undefined || hasEnded(child)) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS)
      await gone
      clearTimeout(timer)
    },
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
