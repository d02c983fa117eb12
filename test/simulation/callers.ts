import type { Preferences } from '../../src/routes/prefer.ts'
import { ProblemError, problemAnswer } from '../../src/routes/problem.ts'
import type { HttpAnswer } from '../../src/routes/to-http.ts'
import { invocationOf } from './entity.ts'
import type { Random } from './random.ts'
import type { Replica } from './replica.ts'
import type { VirtualTime } from './virtual-time.ts'

/** One call as its caller sees it. */
export interface CallLog {
  readonly id: string
  readonly replica: Replica
  readonly x: number
  readonly key: string | undefined
  readonly preferences: Preferences
  readonly startedAt: number
  readonly deadline: number
  /** Everything that it was answered with: one answer, if all is well. */
  readonly answers: { readonly at: number; readonly answer: HttpAnswer }[]
  /** What broke instead. */
  readonly defects: unknown[]
  /** Its replica died first: the connection broke. */
  isCutOff: boolean
}

export interface CallersOptions {
  readonly random: Random
  readonly time: VirtualTime
  readonly replicas: readonly Replica[]
  readonly calls: number
  /** Milliseconds in which they all start. */
  readonly withinMs: number
}

/** Callers with all kinds of wishes, who try again where that is allowed. @returns all calls that were made, filled in as time passes */
export function startCallers({ random, time, replicas, calls, withinMs }: CallersOptions): readonly CallLog[] {
  const logs: CallLog[] = []

  function wishes(): Preferences {
    const respondAsync = random.chance(0.35)
    const waitSeconds = random.chance(0.4) ? random.pick([0, 0.05, 1, 2]) : undefined
    return { respondAsync, waitSeconds, minimal: false, strict: false, unknown: [] }
  }

  function call(x: number, key: string | undefined, triesLeft: number): void {
    const replica = replicas[random.integer(0, replicas.length - 1)]
    if (replica === undefined || !replica.isAlive) return
    const preferences = wishes()
    const id = `${logs.length}-${replica.name}`
    const deadline = time.now() + random.pick([1, 60, 500, 1_500, 1_500, 2_500])
    const log: CallLog = {
      ...{ id, replica, x, key, preferences, deadline, startedAt: time.now() },
      ...{ answers: [], defects: [], isCutOff: false },
    }
    logs.push(log)
    const again = (): void => {
      if (triesLeft > 0 && key !== undefined) time.at(random.integer(0, 800), () => call(x, key, triesLeft - 1))
    }
    ask(log).then(
      (answer) => {
        log.answers.push({ at: time.now(), answer })
        if (answer.status === 503 || answer.status === 504) again()
      },
      (defect) => log.defects.push(defect),
    )
    // Who never hears of it tries again, too.
    if (random.chance(0.1)) again()
  }

  async function ask({ id, replica, x, key, preferences, deadline }: CallLog): Promise<HttpAnswer> {
    const invocation = invocationOf(id, x, deadline)
    try {
      return await replica.answering.answer({ invocation, preferences, idempotencyKey: key, principal: '' })
    } catch (error) {
      if (error instanceof ProblemError) return problemAnswer(error, id)
      throw error
    }
  }

  for (let count = 0; count < calls; count++) {
    const key = random.chance(0.5) ? random.pick(['a', 'b']) : undefined
    // Seldom: the same key for something else.
    const x = key === undefined || random.chance(0.05) ? count : 1_000
    time.at(random.integer(0, withinMs), () => call(x, key, 2))
  }
  return logs
}
