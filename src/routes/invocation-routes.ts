import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { invocationLinks } from './document-links.ts'
import { streamEvents } from './invocation-events.ts'
import { ASK_AGAIN_SECONDS, acceptedAnswer, isOpen, stateOf, statusBody, statusSchema } from './invocation-status.ts'
import type { InvocationRecord, InvocationStore } from './invocation-store.ts'
import { PROBLEM_MEDIA_TYPE, ProblemError } from './problem.ts'
import { problemResponses } from './problem-responses.ts'
import type { HttpAnswer } from './to-http.ts'
import { appliedWait, readPreferences } from './wishes.ts'

export interface InvocationRoutesOptions {
  readonly store: InvocationStore
  readonly principalOf: (request: FastifyRequest) => string
  /** The longest that a caller may wait on one request. */
  readonly maxWaitMs: number
}

const TAG = 'gateway'
const params = {
  type: 'object',
  properties: { id: { type: 'string', description: 'From the `Location` of a 202 or 504.' } },
  required: ['id'],
} as const
const problems = problemResponses([
  'invocation_not_found',
  'invocation_gone',
  'store_unavailable',
  'unknown_preference',
  'bad_request',
  'headers_too_large',
])

const location = { type: 'string', description: 'Where its answer can be collected.' }
const retryAfter = { type: 'string', description: 'Seconds after which it is worth asking again.' }
const status = { 'application/json': { schema: { $ref: 'InvocationStatus#' } } }
const prefer = { prefer: { type: 'string', description: 'RFC 7240: `wait=N` seconds, `handling=strict`.' } }

const lastEventId = { type: 'string', description: 'The id of the last event that was seen.' }

const common = { tags: [TAG], params }

const howFar = {
  ...common,
  operationId: 'get_invocation',
  summary: 'How far is an invocation?',
  headers: { type: 'object', properties: prefer },
  description: '`Prefer: wait=N` holds the answer back until the invocation has ended, for N seconds at most.',
  response: {
    200: { description: 'Its status.', headers: { 'Retry-After': retryAfter }, content: status },
    ...problems,
  },
}

const itsResult = {
  ...common,
  operationId: 'get_invocation_result',
  summary: 'The answer of an invocation',
  headers: { type: 'object', properties: prefer },
  description: 'The status and body that the call would have been answered with, or 202 while there is none.',
  response: {
    default: {
      description: 'What the call was answered with, success or problem.',
      content: { 'application/json': { schema: {} }, [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' } } },
    },
    202: {
      ...{ description: 'Not answered yet.', headers: { Location: location, 'Retry-After': retryAfter } },
      content: status,
    },
    ...problems,
    ...problemResponses(['deadline_exceeded', 'answer_too_large']),
  },
}

const itsEvents = {
  ...common,
  operationId: 'get_invocation_events',
  summary: 'An invocation as Server-Sent Events',
  description: 'An event `status` at once and an event `result` at the end. `Last-Event-ID` leaves out what was seen.',
  headers: { type: 'object', properties: { 'last-event-id': lastEventId } },
  response: {
    204: { description: 'All events were seen: an EventSource shall not come back.', type: 'null' },
    200: { description: 'The events.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
    ...problems,
  },
}

interface WithId {
  Params: { id: string }
}

/** Invocations as resources: how far one is, its result, and its events. */
export function registerInvocationRoutes(app: FastifyInstance, options: InvocationRoutesOptions): void {
  app.addSchema(statusSchema)
  // Who waits for an invocation would hold up the end of this process, and can wait at another replica.
  const stopping = new AbortController()
  app.addHook('preClose', async () => stopping.abort())
  const { result, events } = invocationLinks
  const text = { validatorCompiler: () => () => true, serializerCompiler: () => String }

  app.get<WithId>('/-/invocations/:id', {
    ...text,
    links: { 200: { result, events } },
    schema: howFar,
    handler: async (request, reply) => {
      const record = await settledRecord(request, reply, { ...options, stopping: stopping.signal })
      if (isOpen(record)) reply.header('retry-after', ASK_AGAIN_SECONDS)
      return reply.type('application/json; charset=utf-8').send(statusBody(record))
    },
  })

  app.get<WithId>('/-/invocations/:id/result', {
    ...text,
    links: { 202: invocationLinks },
    schema: itsResult,
    handler: async (request, reply) =>
      sendResult(reply, await settledRecord(request, reply, { ...options, stopping: stopping.signal })),
  })

  app.get<WithId>('/-/invocations/:id/events', {
    ...text,
    schema: itsEvents,
    handler: async (request, reply) => {
      // A strict caller is refused, as anywhere; there is nothing else to prefer here.
      readPreferences(request.headers.prefer, options.maxWaitMs)
      const record = await findRecord(request, options)
      return streamEvents({ request, reply, record, store: options.store, stopping: stopping.signal })
    },
  })
}

function sendResult(reply: FastifyReply, record: InvocationRecord): FastifyReply {
  if (stateOf(record) === 'expired') {
    throw new ProblemError('deadline_exceeded', {
      detail: 'No answer came while this invocation was waited for.',
      invocationId: record.id,
    })
  }
  const { status, headers, body } = record.answer ?? acceptedAnswer(record)
  reply.code(status).headers(headers)
  return reply.send(body === '' ? undefined : Buffer.from(body))
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @throws ProblemError when there is none, or not for this caller */
async function findRecord(
  request: FastifyRequest<WithId>,
  { store, principalOf }: InvocationRoutesOptions,
): Promise<InvocationRecord> {
  const { id } = request.params
  // Whatever else somebody guesses is not asked of the store.
  const found = UUID.test(id) ? await readRecord(store, id) : undefined
  if (found === 'gone')
    throw new ProblemError('invocation_gone', { detail: 'This invocation is no longer kept.', invocationId: id })
  // Somebody else's is not there: that it exists is his affair too.
  if (found === undefined || found.principal !== principalOf(request)) {
    throw new ProblemError('invocation_not_found', { detail: `There is no invocation "${id.slice(0, 64)}".` })
  }
  return found
}

async function readRecord(store: InvocationStore, id: string): Promise<InvocationRecord | 'gone' | undefined> {
  try {
    return await store.read(id)
  } catch (error) {
    throw new ProblemError('store_unavailable', {
      detail: error instanceof Error ? error.message : 'The store is away.',
    })
  }
}

/** The record, waited for as long as the caller prefers. */
async function settledRecord(
  request: FastifyRequest<WithId>,
  reply: FastifyReply,
  options: InvocationRoutesOptions & { readonly stopping: AbortSignal },
): Promise<InvocationRecord> {
  const { waitSeconds } = readPreferences(request.headers.prefer, options.maxWaitMs)
  reply.header('vary', 'Prefer')
  if (waitSeconds !== undefined) reply.header('preference-applied', appliedWait(waitSeconds))
  const record = await findRecord(request, options)
  if (!isOpen(record) || waitSeconds === undefined) return record
  // A timer may be early by a millisecond: then it would not have expired yet.
  const untilMs = Math.min(Date.now() + waitSeconds * 1_000, record.expiresAt + 1)
  const answer = await whileOpen(reply, (gone) =>
    options.store.waitFor(record.id, untilMs, AbortSignal.any([gone, options.stopping])),
  )
  if (answer !== undefined) return { ...record, state: 'finished', answer }
  // It may have got on meanwhile.
  return record.state === 'queued' ? findRecord(request, options) : record
}

/** Waits for as long as there is somebody to answer; without an answer the status is as it was. */
async function whileOpen(
  { raw }: FastifyReply,
  wait: (signal: AbortSignal) => Promise<HttpAnswer | undefined>,
): Promise<HttpAnswer | undefined> {
  const gone = new AbortController()
  const abort = () => gone.abort()
  // Of the answer, not of the request: a request without a body is over long before its connection is.
  raw.once('close', abort)
  try {
    return raw.destroyed ? undefined : await wait(gone.signal)
  } catch {
    return undefined
  } finally {
    raw.off('close', abort)
  }
}
