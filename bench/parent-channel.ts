import process from 'node:process'
import { type Pause, watchPauses } from './pauses.ts'

/** How a child of the benchmark answers its parent's questions over Node's own channel. */

export interface Question {
  readonly id: number
  readonly name: string
  readonly input: unknown
}

export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

export interface Usage {
  /** User and system time of the process so far. */
  readonly cpuMicros: number
  readonly rssBytes: number
}

type Handlers = Readonly<Record<string, (input: unknown) => unknown>>

/** Answers `usage` and `collections` beside the given questions; ends the process when the parent is gone. */
export function answerParent(handlers: Handlers): void {
  const all: Handlers = { usage, collections, ...handlers }
  process.on('message', (message) => {
    // Only `askable-child.ts` writes here.
    const { id, name, input } = message as Question
    void answer(all, name, input).then((result) => process.send?.({ id, ...result }))
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.({ id: 0 } satisfies Answer)
}

async function answer(handlers: Handlers, name: string, input: unknown): Promise<Omit<Answer, 'id'>> {
  try {
    const handle = handlers[name]
    if (handle === undefined) throw new Error(`nobody answers "${name}"`)
    return { value: await handle(input) }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuMicros: user + system, rssBytes: process.memoryUsage.rss() }
}

let watch: ReturnType<typeof watchPauses> | undefined

/** Pauses of the garbage collector since the last question; the first one begins to watch, so that nobody else pays for it. */
function collections(): readonly Pause[] {
  watch ??= watchPauses()
  return watch.take()
}
