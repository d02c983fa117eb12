import { DEADLINE_MS } from './caller.ts'
import { type Fault, pause, type Stage } from './fault.ts'
import type { Mode } from './work.ts'

const ACK_DELAY_MS = 400

export const runtimeFaults: readonly Fault[] = [
  {
    name: 'runtime stopped',
    what: 'The runtime’s process is stopped for 20 s (4 s in the short form) and goes on with what has piled up.',
    async inject({ cluster, isQuick }) {
      const forMs = isQuick ? DEADLINE_MS + 1_000 : 20_000
      cluster.runtime.stop()
      await pause(forMs)
      cluster.runtime.resume()
      return `stopped for ${forMs / 1_000} s`
    },
  },
  misbehaviour('late reply', 'Every reply is sent after its caller’s deadline.', { delayMs: DEADLINE_MS + 1_000 }),
  misbehaviour('duplicate reply', 'Every reply is sent three times.', { copies: 3 }),
  misbehaviour('unreadable reply', 'Every second reply can’t be read: cut off, in another format, or without an id.', {
    garbles: true,
  }),
  {
    name: 'reply before acknowledgement',
    what: `Brokers’ acknowledgements reach the gateways ${ACK_DELAY_MS} ms late, so replies overtake them.`,
    async prepare({ replicas }) {
      const preload = new URL('./late-acknowledgements.ts', import.meta.url).href
      const extra = { execArgv: ['--import', preload], env: { FAULT_ACK_DELAY_MS: String(ACK_DELAY_MS) } }
      await Promise.all(
        replicas.map(async (replica) => {
          await replica.terminate()
          await replica.start(extra)
        }),
      )
    },
    async inject({ load, isQuick }) {
      await pause(isQuick ? 2_000 : 6_000)
      return `${answeredEarly(load.calls)} answers before their acknowledgement`
    },
    async restore({ replicas }) {
      await Promise.all(
        replicas.map(async (replica) => {
          await replica.terminate()
          await replica.start()
        }),
      )
    },
  },
]

function misbehaviour(name: string, what: string, mode: Partial<Mode>): Fault {
  return {
    name,
    what,
    async inject({ cluster: { runtime }, isQuick }) {
      await runtime.behave(mode)
      await pause(isQuick ? 2_000 : 8_000)
      await runtime.behave({})
      return `${(await runtime.account([])).misdeeds} replies`
    },
  }
}

/** With a success before any acknowledgement can have arrived. */
function answeredEarly(calls: Stage['load']['calls']): number {
  return calls.filter(({ attempts }) =>
    attempts.some(
      ({ exchange, tookMs }) => exchange.kind === 'answer' && exchange.status === 200 && tookMs < ACK_DELAY_MS,
    ),
  ).length
}
