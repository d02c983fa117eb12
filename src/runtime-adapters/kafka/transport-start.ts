import { TransportStartError } from './transport.ts'

/** From the first attempt to reach the brokers until giving up. */
const startTimeoutMs = 9_000
const attemptPauseMs = 250

/**
 * Attempts a start until it works or the time is up: brokers may come up a moment later than the gateway. What will not get
 * better (a missing topic, a refused password) ends it at once.
 */
export async function startWithin(
  brokers: readonly string[],
  attempt: () => Promise<void>,
  isFinal: (error: unknown) => boolean,
): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  let earlier: string | undefined
  for (;;) {
    try {
      await within(Math.max(1, deadline - performance.now()), attempt())
      return
    } catch (error) {
      if (error instanceof TransportStartError) throw error
      const reason = tellingReason(error, earlier)
      earlier = reason
      if (isFinal(error)) throw new TransportStartError(`Kafka at ${brokers.join(', ')} refuses us: ${reason}`)
      if (performance.now() + attemptPauseMs > deadline) {
        throw new TransportStartError(`Kafka can't be reached at ${brokers.join(', ')}: ${reason}`)
      }
      await new Promise((resolve) => setTimeout(resolve, attemptPauseMs))
    }
  }
}

/** An attempt that time cuts short says less than the one before it. */
function tellingReason(error: unknown, earlier: string | undefined): string {
  return error instanceof TimeUp && earlier !== undefined ? earlier : deepestMessage(error)
}

/** A topic that was made a moment ago is not known to every broker yet. */
const patienceMs = 1_000

/** The wanted topics that are still missing after a moment's patience. */
export async function missingAmong(
  wanted: readonly string[],
  list: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const there = new Set(await list())
    const missing = [...new Set(wanted)].filter((topic) => !there.has(topic))
    if (missing.length === 0 || performance.now() > deadline) return missing
    await new Promise((resolve) => setTimeout(resolve, attemptPauseMs))
  }
}

export function missingTopics(topics: readonly string[]): TransportStartError {
  const names = topics.join(', ')
  return new TransportStartError(
    `Kafka has no ${topics.length === 1 ? 'topic' : 'topics'} ${names}, or hides them from the gateway's user, whom no ACL allows to DESCRIBE them. ` +
      'Create what is missing, or set KAFKA_CREATE_TOPIC_PARTITIONS and the gateway does.',
  )
}

/** The reason at the bottom of a client's nested errors, which is the one that an operator can use. */
export function deepestMessage(error: unknown): string {
  for (let at = error, depth = 0; ; depth++) {
    if (!(at instanceof Error)) return String(at)
    const inner: unknown = at instanceof AggregateError && at.errors.length > 0 ? at.errors.at(-1) : at.cause
    if (!(inner instanceof Error) || inner.message === '' || depth > 8) return at.message
    at = inner
  }
}

class TimeUp extends Error {
  override readonly name = 'TimeUp'
}

/** Rejects when the time is up; what was waited for is left to itself. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new TimeUp(`no answer within ${Math.round(limitMs)} ms`)), limitMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
