import type { FastifyReply, FastifyRequest } from 'fastify'
import { isOpen, stateOf, statusBody } from './invocation-status.ts'
import type { InvocationRecord, InvocationStore } from './invocation-store.ts'

/** Milliseconds between two signs of life: proxies close what is silent for a minute. */
const HEARTBEAT_MS = 15_000

export interface EventStream {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly record: InvocationRecord
  readonly store: InvocationStore
  /** Aborts when this replica stops: readers then come back to another one. */
  readonly stopping: AbortSignal
}

/**
 * Server-Sent Events: `status` (id 1), then `result` (id 2), then the end. There are two events at most, and a heartbeat is
 * left out while the reader has not taken what was written before: a slow reader costs one socket's buffer and no more.
 */
export async function streamEvents({ request, reply, record, store, stopping }: EventStream): Promise<FastifyReply> {
  const seen = Number(request.headers['last-event-id'] ?? 0) || 0
  // 204 tells an EventSource to stop reconnecting.
  if (seen >= 2) return reply.code(204).send()
  if (request.method === 'HEAD') return reply.type('text/event-stream').send()
  reply.hijack()
  const { raw } = reply
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  if (raw.destroyed) return reply
  carryHeaders(reply)
  // A stream that has ended leaves no idle connection behind: it would hold up the end of this process.
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    connection: 'close',
  })
  if (seen < 1) raw.write(eventText(1, 'status', statusBody(record)))
  const heartbeat = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(': still running\n\n')
  }, HEARTBEAT_MS)
  const signal = AbortSignal.any([gone.signal, stopping])
  // A timer may be early by a millisecond: then it would not have expired yet.
  const untilMs = record.expiresAt + 1
  const answer = record.answer ?? (await store.waitFor(record.id, untilMs, signal).catch(() => undefined))
  clearInterval(heartbeat)
  if (gone.signal.aborted) return reply
  const ended: InvocationRecord = answer === undefined ? record : { ...record, state: 'finished', answer }
  // The store could not say how it ended, or this replica stops: an EventSource comes back, here or to another replica.
  if (isOpen(ended)) {
    raw.end()
    return reply
  }
  const body = answer === undefined || answer.body === '' ? 'null' : answer.body
  const data = `{"state":${JSON.stringify(stateOf(ended))},"status":${answer?.status ?? 504},"body":${body}}`
  raw.end(eventText(2, 'result', data))
  return reply
}

/** What hooks have set: an answer that is written past the framework has it all the same. */
function carryHeaders(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
}

/** `data` is JSON, so it has no line breaks of its own. */
function eventText(id: number, event: string, data: string): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`
}
