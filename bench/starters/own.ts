import { type AskableChild, startChild } from '../askable-child.ts'
import { openBatchLoad } from '../batch-load.ts'
import type { Contender, ContenderSetup, Start, TopicPair } from '../contender.ts'
import { type Load, type Measured, openHttpLoad } from '../load.ts'
import type { Pause } from '../pauses.ts'
import { type Dress, httpRequests, KEYS } from '../work.ts'

/** Programs of the bench's own: each is a child that can be asked. */

export type Reach = (setup: ContenderSetup, child: AskableChild, topics: TopicPair | undefined) => Promise<Contender>

export const moduleOf = (name: string) => new URL(`../contenders/${name}.ts`, import.meta.url)

export const startEcho: Start = async (setup) => {
  const child = await startChild({ module: moduleOf('echo'), execArgv: setup.execArgv })
  return overHttp(setup.dress)(setup, child, undefined)
}

export const startMinimal: Start = async (setup) => {
  const { kafka, topics, execArgv } = setup
  const env = {
    BENCH_BROKERS: (kafka?.brokers ?? []).join(','),
    BENCH_REQUESTS: topics.requestTopic,
    BENCH_REPLIES: topics.replyTopic,
  }
  const child = await startChild({ module: moduleOf('minimal'), env, execArgv })
  return overHttp()(setup, child, topics)
}

/** @param dress how it is asked, where it is not as ever */
export function overHttp(dress: Dress = {}): Reach {
  return async ({ name }, child, topics) => {
    const port = Number(await child.ask('port'))
    const reach = { ports: [port] as const, requests: httpRequests(`127.0.0.1:${port}`, dress) }
    return {
      ...{ name, topics, reach, usage: child.usage, close: child.close },
      open: (connections) => openHttpLoad({ ...reach, connections }),
      // `parent-channel.ts` answers this in every child.
      pauses: async () => (await child.ask('collections')) as readonly Pause[],
    }
  }
}

/** One connection: the batch itself is what is under way side by side. */
export const overBatch: Reach = async ({ name }, child, topics) => {
  const port = Number(await child.ask('port'))
  return {
    ...{ name, topics, reach: undefined, usage: child.usage, close: child.close },
    open: () => openBatchLoad({ port, window: KEYS }),
  }
}

/** The closed loop runs in the contender itself: there is no HTTP to reach it by. */
export const fromInside: Reach = async ({ name }, child, topics) => ({
  ...{ name, topics, reach: undefined, usage: child.usage, close: child.close },
  open: (level) => openRemoteLoad(child, level),
})

async function openRemoteLoad(child: AskableChild, level: number): Promise<Load> {
  await child.ask('open', level)
  return {
    reset: async () => void (await child.ask('reset')),
    // The child answers with what its own load has measured.
    take: async () => (await child.ask('take')) as Measured,
    close: async () => void (await child.ask('close')),
  }
}
