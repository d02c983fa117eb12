import process from 'node:process'
import { startChild } from '../../bench/askable-child.ts'
import type { Account, Runtime } from './runtime.ts'
import { wellBehaved } from './work.ts'

export interface Topics {
  readonly requests: string
  readonly replies: string
}

/** A worker of the matrix's own, from outside. It tells all its executions, whatever calls are asked for. */
export interface WorkerProcess extends Runtime {
  account(calls?: readonly string[]): Promise<Account>
}

/** One that speaks StateFlow's JSON. */
export function startWorker(brokers: readonly string[], { requests, replies }: Topics): Promise<WorkerProcess> {
  const env = { FAULT_BROKERS: brokers.join(','), FAULT_REQUESTS: requests, FAULT_REPLIES: replies }
  return startWorkerModule(new URL('./worker.ts', import.meta.url), env)
}

/** @param module answers the questions of `misbehaving-runtime.ts` */
export async function startWorkerModule(module: URL, env: Readonly<Record<string, string>>): Promise<WorkerProcess> {
  const child = await startChild({ module, env })
  const pid = Number(await child.ask('pid'))
  return {
    prepare: async () => undefined,
    async behave(mode) {
      await child.ask('behave', { ...wellBehaved, ...mode })
    },
    // `misbehaving-runtime.ts` answers this.
    account: async () => (await child.ask('account')) as Account,
    async forget() {
      await child.ask('forget')
    },
    stop: () => void process.kill(pid, 'SIGSTOP'),
    resume: () => void process.kill(pid, 'SIGCONT'),
    async close() {
      process.kill(pid, 'SIGCONT')
      await child.close()
    },
  }
}
