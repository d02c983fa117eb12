import { type Fault, pause, type Stage, seconds } from './fault.ts'
import { GRACE_MS, type Replica } from './replica.ts'
import { openSlowReaders } from './slow-readers.ts'

/** Milliseconds that a load balancer needs to see that a replica has come or gone. */
const SETTLE_MS = 1_500
const SLOW_READERS = 60
/** Memory that readers who do not read may cost a replica, with all the noise of a running process. */
const SLOW_READER_LIMIT_BYTES = 64 * 2 ** 20

export const gatewayFaults: readonly Fault[] = [
  {
    name: 'replica SIGKILLed between acknowledgement and reply',
    what: 'The runtime keeps its replies back; one replica is killed; the replies are let go; later the replica comes back.',
    async inject({ cluster: { runtime, replicas } }) {
      await runtime.behave({ holds: true })
      await pause(1_500)
      const victim = first(replicas)
      await victim.kill()
      await pause(500)
      await runtime.behave({})
      const { misdeeds } = await runtime.account([])
      await pause(SETTLE_MS)
      await victim.start()
      return `${misdeeds} replies held over its death`
    },
  },
  {
    name: 'rolling restart',
    what: 'One replica after the other gets SIGTERM, is waited for, and is started again.',
    async inject({ cluster: { replicas, isPeer } }) {
      const ends: string[] = []
      for (const replica of replicas) {
        ends.push(await endOrderly(replica, isPeer))
        await replica.start()
        await pause(SETTLE_MS)
      }
      return ends.join('; ')
    },
  },
  {
    name: 'SIGTERM under load',
    what: `One replica gets SIGTERM while the runtime is slow and event streams are open; its grace is ${GRACE_MS / 1_000} s.`,
    async inject({ cluster: { runtime, replicas, isPeer }, load }) {
      await runtime.behave({ delayMs: 2_000 })
      await pause(1_000)
      const victim = first(replicas)
      const readers = await openSlowReaders(victim.url, locations(load).slice(0, 5))
      const end = await endOrderly(victim, isPeer)
      readers.close()
      await runtime.behave({})
      await victim.start()
      return end
    },
  },
  {
    name: 'slow SSE readers',
    what: `${SLOW_READERS} event streams on one replica are opened and never read from.`,
    async inject({ cluster: { runtime, replicas }, load, isQuick }) {
      await runtime.behave({ delayMs: 1_500 })
      await pause(1_500)
      const target = first(replicas)
      const before = target.rssBytes()
      const readers = await openSlowReaders(target.url, locations(load).slice(-SLOW_READERS))
      await runtime.behave({})
      await pause(isQuick ? 1_500 : 4_000)
      const grownBytes = target.rssBytes() - before
      readers.close()
      const growth = `${readers.count} streams, memory ${grownBytes < 0 ? '' : '+'}${Math.round(grownBytes / 2 ** 20)} MiB`
      if (grownBytes > SLOW_READER_LIMIT_BYTES) throw new Error(`slow readers: ${growth}`)
      return growth
    },
  },
]

export const storeFaults: readonly Fault[] = [
  {
    name: 'Redis killed and restarted',
    what: 'Redis is SIGKILLed and, after a while, started again on its data.',
    async inject({ cluster: { redis }, isQuick }) {
      const begun = Date.now()
      await redis.kill()
      await pause(isQuick ? 2_500 : 6_000)
      await redis.restart()
      return `away for ${seconds(Date.now() - begun)}`
    },
  },
  {
    name: 'Redis stopped',
    what: 'Redis is SIGSTOPped, so that it accepts connections and answers nothing, and goes on after a while.',
    async inject({ cluster: { redis }, isQuick }) {
      const forMs = isQuick ? 2_500 : 6_000
      redis.stop()
      await pause(forMs)
      redis.continue()
      return `silent for ${seconds(forMs)}`
    },
  },
]

function first(replicas: readonly Replica[]): Replica {
  const [replica] = replicas
  if (replica === undefined) throw new Error('there is no replica')
  return replica
}

async function endOrderly(replica: Replica, isPeer: boolean): Promise<string> {
  const { code, tookMs } = await replica.terminate()
  if (isPeer) return `ended with ${code ?? 'a signal'} after ${seconds(tookMs)}`
  if (code !== 0)
    throw new Error(
      `a replica ended with ${code ?? 'SIGKILL'} after ${seconds(tookMs)}:\n${replica.output().slice(-2_000)}`,
    )
  return `exit 0 after ${seconds(tookMs)}`
}

function locations({ calls }: Stage['load']): readonly string[] {
  return calls.flatMap(({ attempts }) =>
    attempts.flatMap(({ exchange }) =>
      exchange.kind === 'answer' && exchange.location !== undefined ? [exchange.location] : [],
    ),
  )
}
