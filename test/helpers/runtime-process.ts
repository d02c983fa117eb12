import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { isRunning } from './kill-process.ts'

/** A runtime under test, in a process of its own. */
export interface RuntimeProcess {
  /** Ends the process and everything it started. May be called twice. */
  close(): Promise<void>
  /** `false` once the process has ended, e.g. by a record that it could not take. */
  alive(): boolean
  /** The last of what it wrote, for the message of a failed test. */
  output(): string
}

const KILL_AFTER_MS = 5_000

/**
 * Starts a program and resolves when it has written the line `ready` to its stdout.
 * Its stdin stays open as long as this process lives, so that it can end with it.
 */
export async function startRuntimeProcess(options: {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly readyWithinMs: number
}): Promise<RuntimeProcess> {
  const { command, args, env, cwd, readyWithinMs } = options
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own: a runtime may have started others, and they are ended with it.
    detached: true,
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = once(child, 'close').catch(() => undefined)
  const alive = () => isRunning(child)
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= endGroup(child, ended)
    return closing
  }
  try {
    await foundIn(child, /^ready$/m, readyWithinMs)
  } catch (error) {
    await close()
    throw new Error(`${command} ${args.join(' ')} ${String(error)}\n${output}`)
  }
  return { close, alive, output: () => output }
}

/** What a process says on its stdout when it is ready. */
export function foundIn(child: ChildProcess, pattern: RegExp, withinMs: number): Promise<RegExpExecArray> {
  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
  const timer = setTimeout(() => reject(new Error(`said nothing of being ready in ${withinMs} ms.`)), withinMs)
  let seen = ''
  const look = (chunk: Buffer) => {
    seen = (seen + chunk.toString()).slice(-1_000)
    const found = pattern.exec(seen)
    if (found !== null) resolve(found)
  }
  child.stdout?.on('data', look)
  child.once('error', reject)
  child.once('exit', (code, signal) => reject(new Error(`ended with ${code ?? signal} before it was ready.`)))
  return promise.finally(() => {
    clearTimeout(timer)
    child.stdout?.off('data', look)
  })
}

async function endGroup(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  signalGroup(child, 'SIGTERM')
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_AFTER_MS)
  await ended
  clearTimeout(timer)
  // Members of the group that have outlived their leader.
  signalGroup(child, 'SIGKILL')
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The whole group is gone.
  }
}
