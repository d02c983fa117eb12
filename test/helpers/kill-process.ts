import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** One that has been started and has not ended. */
export function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null
}

/** Resolves when the process is gone. */
export async function killProcess(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || !isRunning(child)) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
