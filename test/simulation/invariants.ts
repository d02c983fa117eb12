import type { InvocationRecord, InvocationStore } from '../../src/routes/invocation-store.ts'
import type { HttpAnswer } from '../../src/routes/to-http.ts'
import type { Truth } from './broker.ts'
import type { CallLog } from './callers.ts'
import type { Reply } from './entity.ts'
import type { Replica } from './replica.ts'

export interface Evidence {
  readonly truth: Truth
  readonly calls: readonly CallLog[]
  readonly replicas: readonly Replica[]
  readonly store: InvocationStore
  readonly storeIsShared: boolean
}

/** Milliseconds that an answer may come after its deadline: a store that is away says so within a second, several times over. */
const GRACE_MS = 3_500

/** Everything that must hold when all is over. @returns what does not, one sentence each */
export async function violations(evidence: Evidence): Promise<readonly string[]> {
  const { truth, calls } = evidence
  const found: string[] = []
  for (const call of calls) found.push(...wrongIn(call, evidence).map((what) => `call ${call.id}: ${what}`))
  for (const [id, times] of truth.logged) if (times > 1) found.push(`${id} is in the log ${times} times`)
  found.push(...executedTwice(evidence))
  found.push(...(await lost(evidence)))
  return found
}

function wrongIn(call: CallLog, evidence: Evidence): readonly string[] {
  if (call.defects.length > 0) return [`broke: ${call.defects.map(String).join(', ')}`]
  const [first, ...others] = call.answers
  if (first === undefined) return call.isCutOff ? [] : ['was never answered']
  if (call.isCutOff) return []
  const waitMs = call.preferences.respondAsync ? (call.preferences.waitSeconds ?? 0) * 1_000 : 0
  const due = Math.max(call.deadline, call.startedAt + waitMs) + GRACE_MS
  return [
    ...(others.length === 0 ? [] : [`was answered ${call.answers.length} times`]),
    ...(first.at <= due ? [] : [`was answered ${first.at - due} ms too late`]),
    ...untrueIn(first, call, evidence),
  ]
}

interface Said {
  /** Of a status document. */
  readonly id?: string
  readonly outcome?: string
  readonly code?: string
  readonly invocationId?: string
}

/** What an answer claims, held against what happened. */
function untrueIn(
  { answer, at }: CallLog['answers'][number],
  call: CallLog,
  { truth, calls }: Evidence,
): readonly string[] {
  const said = JSON.parse(answer.body) as Said
  if (answer.status === 202) {
    // Who joined a call is told of that one.
    const loggedAt = truth.loggedAt.get(said.id ?? call.id)
    return loggedAt !== undefined && loggedAt <= at ? [] : [`202 for ${said.id}, which is not in the log`]
  }
  if (said.outcome === 'not_sent') {
    const isReused = said.code === 'idempotency_key_reused'
    if (isReused && calls.every(({ key, x }) => key !== call.key || x === call.x)) return ['its key was not reused']
    const liars = [call.id, ...(isReused ? [] : [said.invocationId ?? call.id])].filter((id) => truth.logged.has(id))
    return liars.length === 0 ? [] : [`${said.code} says not_sent, and ${liars[0]} is in the log`]
  }
  if (answer.status === 504) return said.outcome === 'unknown' ? [] : [`504 with outcome ${said.outcome}`]
  const own = calls.filter(
    ({ id, key, x }) => id === call.id || (key !== undefined && key === call.key && x === call.x),
  )
  const replies = own.map(({ id }) => truth.replies.get(id)).filter((reply) => reply !== undefined)
  return replies.some((reply) => isAnswer(answer, reply)) ? [] : [`${answer.status} ${answer.body} is no answer to it`]
}

function isAnswer({ status, body }: HttpAnswer, { kind, number }: Reply): boolean {
  switch (kind) {
    case 'value':
      return status === 200 && body === String(number)
    case 'raised':
      return status === 422 && body.includes(`it failed: ${number}"`)
    case 'junk':
      return status === 502 && body.includes(`junk ${number}"`)
    case 'mistyped':
      return status === 502 && body.includes('does not fit the metadata')
  }
}

/** All calls of one key are one execution. */
function executedTwice({ calls, truth, storeIsShared }: Evidence): readonly string[] {
  const byKey = new Map<string, CallLog[]>()
  for (const call of calls) {
    if (call.key === undefined) continue
    // Without a shared store a key is known to one replica.
    const scope = storeIsShared ? call.key : `${call.key} at ${call.replica.name}`
    byKey.set(scope, [...(byKey.get(scope) ?? []), call])
  }
  return [...byKey]
    .map(([key, all]) => ({ key, ids: all.map(({ id }) => id).filter((id) => truth.logged.has(id)) }))
    .filter(({ ids }) => ids.length > 1)
    .map(({ key, ids }) => `key ${key} was sent as ${ids.join(' and ')}`)
}

/** Whatever was promised to be collectable, and came to a living replica in time, can be collected. */
async function lost(evidence: Evidence): Promise<readonly string[]> {
  const promised = new Set<string>()
  for (const { answers, isCutOff } of evidence.calls) {
    const location = isCutOff ? undefined : answers[0]?.answer.headers.location
    if (location !== undefined) promised.add(location.replace('/-/invocations/', ''))
  }
  const found: string[] = []
  for (const id of promised) {
    const record = await evidence.store.read(id)
    const what = lostIn(id, record === 'gone' ? undefined : record, evidence)
    if (what !== undefined) found.push(`${id} can’t be collected: ${what}`)
  }
  return found
}

function lostIn(id: string, record: InvocationRecord | undefined, { truth, replicas }: Evidence): string | undefined {
  const reply = truth.replies.get(id)
  if (record?.answer !== undefined) {
    const isRight = reply === undefined ? !truth.logged.has(id) : isAnswer(record.answer, reply)
    return isRight ? undefined : `it holds ${record.answer.status} ${record.answer.body}`
  }
  if (reply === undefined) return undefined
  const living = new Set(replicas.filter(({ isAlive }) => isAlive).map(({ name }) => name))
  const readers = truth.delivered.get(id)?.filter(({ replica }) => living.has(replica)) ?? []
  if (readers.length === 0) return undefined
  if (record === undefined) return 'it has no record'
  return readers.some(({ at }) => at < record.expiresAt) ? `${readers[0]?.replica} had its reply` : undefined
}
