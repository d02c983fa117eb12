import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Answer, Question, Usage } from './parent-channel.ts'

/** A process of its own, so that its CPU is its own. */
export interface AskableChild {
  ask(name: string, input?: unknown): Promise<unknown>
  usage(): Promise<Usage>
  close(): Promise<void>
}

export interface ChildOptions {
  readonly module: URL
  readonly env?: Readonly<Record<string, string>>
  readonly execArgv?: readonly string[]
}

const START_TIMEOUT_MS = 30_000
const ANSWER_TIMEOUT_MS = 20_000
const CLOSE_TIMEOUT_MS = 10_000

/** Resolves when the child says that it is ready. */
export async function startChild({ module, env = {}, execArgv = [] }: ChildOptions): Promise<AskableChild> {
  const child = fork(module, {
    env: { ...process.env, ...env },
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const onExit = () => child.kill('SIGKILL')
  process.on('exit', onExit)
  const questions = createQuestions(child)
  const close = async () => {
    process.off('exit', onExit)
    await stop(child)
  }
  try {
    await questions.ready
  } catch (error) {
    await close()
    throw new Error(`${module.pathname.split('/').at(-1)} did not start`, { cause: error })
  }
  return {
    ask: questions.ask,
    // `parent-channel.ts` answers this in every child.
    usage: async () => (await questions.ask('usage')) as Usage,
    close,
  }
}

interface Questions {
  readonly ready: Promise<unknown>
  readonly ask: (name: string, input?: unknown) => Promise<unknown>
}

function createQuestions(child: ChildProcess): Questions {
  const waiting = new Map<number, (answer: Answer) => void>()
  let lastId = 0

  async function expectAnswer(id: number, timeoutMs: number): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    waiting.set(id, resolve)
    const timer = setTimeout(resolve, timeoutMs, { id, error: `no answer within ${timeoutMs} ms` })
    const { value, error } = await promise
    clearTimeout(timer)
    waiting.delete(id)
    if (error !== undefined) throw new Error(error)
    return value
  }

  // Only `parent-channel.ts` writes here.
  child.on('message', (message) => waiting.get((message as Answer).id)?.(message as Answer))
  child.on('exit', (code, signal) => {
    for (const [id, resolve] of waiting) resolve({ id, error: `the process ended (${signal ?? code})` })
  })
  return {
    ready: expectAnswer(0, START_TIMEOUT_MS),
    ask(name, input) {
      const id = ++lastId
      child.send({ id, name, input } satisfies Question)
      return expectAnswer(id, ANSWER_TIMEOUT_MS)
    },
  }
}

/** Disconnected, a child ends by itself and may write its CPU profile first. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS)
  await gone
  clearTimeout(timer)
}
