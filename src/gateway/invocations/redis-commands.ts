import { stringifyExact } from '../../entity-registry/exact-json.ts'
import { type InvocationRecord, type OpenResult, StoreUnavailable } from '../../routes/invocation-store.ts'
import type { HttpAnswer } from '../../routes/to-http.ts'
import { RELEASED_MS } from './memory-records.ts'
import type { RedisConnection } from './redis-connection.ts'
import { keysOf, type Looked, readLooked, scopeKey, writeRecord } from './redis-records.ts'
import {
  acceptScript,
  beatScript,
  claimScript,
  dropScript,
  finishScript,
  holdScript,
  leaveScript,
  lookScript,
  releaseScript,
  writeScript,
} from './redis-scripts.ts'

export interface Finished {
  /** `missing`: Redis has no such record, or has lost it. */
  readonly kind: 'finished' | 'late' | 'missing'
  /** With `finished`, where the record has one. */
  readonly scope: string | undefined
}

/** What the store asks of Redis; each rejects with `StoreUnavailable` in time. */
export interface RedisCommands {
  open(record: InvocationRecord, scope: string | undefined): Promise<OpenResult>
  /** @param asksForAcceptance sees to it that a message tells when the call is accepted */
  look(id: string, asksForAcceptance?: boolean): Promise<Looked>
  accept(id: string): Promise<void>
  finish(id: string, answer: HttpAnswer): Promise<Finished>
  /** The scope of a finished record goes with it. */
  holdScope(scope: string, id: string): Promise<void>
  release(id: string, scope: string | undefined, answer: HttpAnswer): Promise<void>
  /** Forgets one that nobody knows of. */
  drop(id: string): Promise<void>
  beat(replica: string): Promise<readonly string[]>
  leave(replica: string): Promise<void>
}

export interface RedisCommandsOptions {
  readonly connection: RedisConnection
  readonly prefix: string
  readonly channel: string
  readonly retentionMs: number
}

/** Milliseconds of silence after which a replica is taken for dead. */
export const DEAD_AFTER_MS = 3_000

/**
 * A record stands under its own id and its idempotency scope under another key, each in a slot of its own. The record is
 * written first, so a scope that is held names a record that can be read, until it expires or is released; then the scope is free.
 */
export function createRedisCommands(options: RedisCommandsOptions): RedisCommands {
  const { connection, prefix, channel, retentionMs } = options
  const replicas = `${prefix}:replicas`

  async function look(id: string, asks: '' | '1', until?: number): Promise<Looked> {
    const { record, trace, released } = keysOf(prefix, id)
    return readLooked(
      await connection.run({ script: lookScript, keys: [record, trace, released], args: [asks], until }),
    )
  }

  return {
    async open(record, scope) {
      const until = connection.defaultDeadline()
      const { record: key, trace } = keysOf(prefix, record.id)
      const keptMs = Math.max(1, record.expiresAt - Date.now()) + retentionMs
      const args = [writeRecord(record), scope ?? '', keptMs, keptMs + retentionMs]
      await connection.run({ script: writeScript, keys: [key, trace], args, until })
      if (scope === undefined) return { kind: 'opened' }
      return claim(record.id, {
        connection,
        key: scopeKey(prefix, scope),
        keptMs,
        until,
        look: (holder) => look(holder, '', until),
        own: [key, trace],
      })
    },
    look: (id, asksForAcceptance = false) => look(id, asksForAcceptance ? '1' : ''),
    async accept(id) {
      await connection.run({ script: acceptScript, keys: [keysOf(prefix, id).record], args: [channel, id] })
    },
    async finish(id, answer) {
      const { record, trace } = keysOf(prefix, id)
      const args = [stringifyExact(answer), retentionMs, 2 * retentionMs, channel, id]
      const reply = await connection.run({ script: finishScript, keys: [record, trace], args })
      const [kind, scope = ''] = Array.isArray(reply) ? reply.map(String) : []
      if (kind !== 'finished') return { kind: kind === 'late' ? kind : 'missing', scope: undefined }
      return { kind, scope: scope === '' ? undefined : scope }
    },
    async holdScope(scope, id) {
      await connection.run({ script: holdScript, keys: [scopeKey(prefix, scope)], args: [id, retentionMs] })
    },
    async release(id, scope, answer) {
      const { record, trace, released } = keysOf(prefix, id)
      const args = [stringifyExact(answer), RELEASED_MS, channel, id]
      const done = await connection.run({ script: releaseScript, keys: [record, trace, released], args })
      if (done !== 1 || scope === undefined) return
      await connection.run({ script: holdScript, keys: [scopeKey(prefix, scope)], args: [id, 0] })
    },
    async drop(id) {
      const { record, trace } = keysOf(prefix, id)
      await connection.run({ script: dropScript, keys: [record, trace], args: [] })
    },
    async beat(replica) {
      const living = await connection.run({ script: beatScript, keys: [replicas], args: [replica, DEAD_AFTER_MS] })
      return Array.isArray(living) ? living.map(String) : []
    },
    async leave(replica) {
      await connection.run({ script: leaveScript, keys: [replicas], args: [replica] })
    },
  }
}

interface Claim {
  readonly connection: RedisConnection
  readonly key: string
  readonly keptMs: number
  readonly until: number
  readonly look: (id: string) => Promise<Looked>
  /** The keys of the record that is written already. */
  readonly own: readonly string[]
}

/** A scope may name a record that is no more; then it is taken over, unless somebody else is faster. */
async function claim(id: string, { connection, key, keptMs, until, look, own }: Claim): Promise<OpenResult> {
  let free = ''
  while (performance.now() < until) {
    const holder = String(await connection.run({ script: claimScript, keys: [key], args: [id, keptMs, free], until }))
    if (holder === id) return { kind: 'opened' }
    const found = await look(holder)
    if (found.kind === 'kept') {
      // Nobody knows this id; should the command fail, the record expires by itself.
      connection.run({ script: dropScript, keys: own, args: [] }).catch(() => undefined)
      return { kind: 'exists', record: found.record }
    }
    free = holder
  }
  throw new StoreUnavailable('Redis did not answer in time.')
}
