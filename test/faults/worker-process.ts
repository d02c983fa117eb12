import process from 'node:process'
import { startChild } from '../../bench/askable-child.ts'
import { type Execution, type Mode, wellBehaved } from './work.ts'

export interface Topics {
  readonly requests: string
  readonly replies: string
}

/** The runtime, from outside. */
export interface WorkerProcess {
  behave(mode: Partial<Mode>): Promise<void>
  /** What it has executed since `forget`. */
  account(): Promise<{ readonly executions: readonly Execution[]; readonly misdeeds: number }>
  forget(): Promise<void>
  /** SIGSTOP: it neither reads nor writes until `resume`. */
  stop(): void
  resume(): void
  close(): Promise<void>
}

export async function startWorker(brokers: readonly string[], topics: Topics): Promise<WorkerProcess> {
  const child = await startChild({
    module: new URL('./worker.ts', import.meta.url),
    env: { FAULT_BROKERS: brokers.join(','), FAULT_REQUESTS: topics.requests, FAULT_REPLIES: topics.replies },
  })
  const pid = Number(await child.ask('pid'))
  return {
    async behave(mode) {
      await child.ask('behave', { ...wellBehaved, ...mode })
    },
    // `worker.ts` answers this.
    account: async () => (await child.ask('account')) as Awaited<ReturnType<WorkerProcess['account']>>,
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
