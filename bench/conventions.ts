import type { Header, RecordFields } from '../src/runtime-adapters/kafka/platformatic-batches.ts'
import { pickledReplyTo } from './pickled-reply.ts'

import { idOf, replyTo } from './worker-reply.ts'

/** A request as the broker gives it. */
export interface RequestRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[]
}

export interface Reply extends RecordFields {
  /** Where its reader wants it; by default where its key belongs, or anywhere. */
  readonly partition?: number
}

/** How a request names its call, and how the reply has to name it. */
export type Convention = keyof typeof conventions

const TRUE = Buffer.from('true')

/** Every one of them answers `true`. */
export const conventions = {
  /** StateFlow's `JsonSerializer`; replies have no key, as PyFlink writes them. */
  'stateflow-json': ({ value }) => (value === null ? undefined : { key: undefined, value: replyTo(value) }),
  /** The same, keyed by the call's id, as StateFlow's StateFun functions write them. */
  'stateflow-json-keyed': ({ value }) => {
    const reply = value === null ? undefined : replyTo(value)
    return reply && { key: idOf(reply), value: reply }
  },
  'stateflow-pickle': ({ value }) => (value === null ? undefined : { key: undefined, value: pickledReplyTo(value) }),
  /** The same, but not at once; see `delayMs`. */
  'stateflow-pickle-later': ({ value }) =>
    value === null ? undefined : { key: undefined, value: pickledReplyTo(value) },
  /** A StateFun function that carries the call's id in its payload. */
  'statefun-json': ({ value }) => {
    const id = value === null ? undefined : idBehind(value, CORRELATION_ID)
    return id && { key: id, value: Buffer.concat([REPLY_START, id, REPLY_END]) }
  },
  /** A JSON object that begins with the call's id; the reply is keyed by it. */
  minimal: ({ value }) =>
    value === null ? undefined : { key: value.subarray(ID_START, ID_START + ID_LENGTH), value: TRUE },
  nest: byHeader('kafka_correlationId', [[Buffer.from('kafka_nest-is-disposed'), Buffer.from('1')]]),
  spring: byHeader('kafka_correlationId', []),
  'kafka-hooks': byHeader('x-plt-kafka-hooks-correlation-id', [
    [Buffer.from('content-type'), Buffer.from('application/json')],
  ]),
  zilla: byHeader('zilla:correlation-id', []),
} as const satisfies Readonly<Record<string, Answer>>

/** `undefined`: nothing that it could answer. */
export type Answer = (request: RequestRecord) => Reply | undefined

const CORRELATION_ID = Buffer.from('"correlation_id":"')
const REPLY_START = Buffer.from('{"correlation_id":"')
const REPLY_END = Buffer.from('","ok":true,"result":true}')
const ID_START = '{"id":"'.length
const ID_LENGTH = 36

function idBehind(value: Buffer, name: Buffer): Buffer | undefined {
  const at = value.indexOf(name)
  return at < 0 ? undefined : value.subarray(at + name.length, at + name.length + ID_LENGTH)
}

/** Spring and NestJS say the partition as well: as a number of four bytes the one, as text the other. */
function byHeader(name: string, more: readonly Header[]): Answer {
  const correlation = Buffer.from(name)
  const place = Buffer.from('kafka_replyPartition')
  return ({ headers }) => {
    const find = (wanted: Buffer) => headers.find(([key]) => key?.equals(wanted))?.[1] ?? undefined
    const id = find(correlation)
    if (id === undefined) return undefined
    const partition = find(place)
    const reply = { key: undefined, value: TRUE, headers: [[correlation, id] as const, ...more] }
    return partition === undefined ? reply : { ...reply, partition: partitionIn(partition) }
  }
}

function partitionIn(text: Buffer): number {
  return text.length === 4 && (text[0] ?? 0) < 0x20 ? text.readInt32BE() : Number(text.toString('latin1'))
}

/**
 * Milliseconds that replies are held. StateFlow's FastAPI client begins to wait for a reply only after it has been told that its
 * request was written; one that was there before is lost, and the client then stands still for ever. No real runtime is as quick.
 */
export function delayMs(convention: Convention): number {
  return convention === 'stateflow-pickle-later' ? 100 : 0
}
