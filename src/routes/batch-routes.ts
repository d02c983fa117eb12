import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  type BatchCall,
  createLineReader,
  type LineReader,
  type LineView,
  type ReadLine,
  underArgs,
} from './batch-call.ts'
import type { BatchPlaces } from './batch-places.ts'
import { type BatchLimits, BatchRun } from './batch-run.ts'
import { BATCH_MEDIA_TYPE, BATCH_PATH, batchSchema } from './batch-schema.ts'
import { contextOf, type EntityRoutesOptions, namedContext, refuseQuery } from './entity-routes.ts'
import { codedBody } from './json-body.ts'
import { parsePrefer } from './prefer.ts'
import { ProblemError } from './problem.ts'
import type { HttpAnswer } from './to-http.ts'
import { toInvocation } from './to-invocation.ts'
import { readPreferences, refuseCondition } from './wishes.ts'

/** Authorizing and quotas are asked for each line. */
export interface BatchRoutesOptions extends EntityRoutesOptions {
  /** Whether what the caller has shown is still good, asked for each line. `undefined`: nobody has to show anything. */
  readonly renew?: ((request: FastifyRequest) => Promise<void> | undefined) | undefined
  /** Left out: every caller may do and know everything. */
  readonly viewOf?: (request: FastifyRequest) => LineView
  /** A fresh invocation id. */
  readonly newId: () => string
  readonly limits: BatchLimits
  readonly places: BatchPlaces
  /** Told the status of each line's answer. */
  readonly onLine?: (status: number) => void
}

/** Milliseconds that a caller who was cut off has to read his answers before the connection is closed. */
const LINGER_MS = 500

/** `POST /-/batch`: a stream of calls in, a stream of answers out. */
export async function registerBatchRoutes(app: FastifyInstance, options: BatchRoutesOptions): Promise<void> {
  const { newId, limits, places, maxWaitMs, onLine, viewOf } = options
  const read = createLineReader(options)
  const running = new Set<BatchRun>()
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    for (const run of running) run.drain()
  })

  function start(request: FastifyRequest, source: IncomingMessage): BatchRun {
    const answer = createLineCaller(request, options)
    const readLine = logged(request, read, viewOf?.(request))
    if (!places.take()) throw new ProblemError('overloaded', { detail: `${places.max} batches are under way already.` })
    const run = new BatchRun({ source, read: readLine, answer, newId, limits, onLine })
    running.add(run)
    void run.ended.then((summary) => {
      running.delete(run)
      places.giveBack()
      request.log.debug(summary, 'a batch ended')
    })
    return run
  }

  await app.register(async (scope) => {
    // The body is left on the wire: lines have a limit of their own, the stream has none.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(BATCH_MEDIA_TYPE, (_request, payload, done) => done(null, payload))
    scope.post(BATCH_PATH, {
      schema: batchSchema,
      validatorCompiler: () => () => true,
      handler: async (request, reply) => {
        refuseRequest(request, maxWaitMs)
        return stream({ run: start(request, request.raw), request, reply, isClosing: () => isClosing })
      },
    })
  })
}

/** What belongs to a line must not be dropped in silence when it stands elsewhere. */
function refuseRequest(request: FastifyRequest, maxWaitMs: number): void {
  refuseQuery(request)
  refuseCondition(request)
  // A strict caller is refused, as anywhere; there is nothing to prefer here.
  readPreferences(request.headers.prefer, maxWaitMs)
  if (request.body === undefined) {
    throw new ProblemError('unsupported_media_type', { detail: `A batch is sent as ${BATCH_MEDIA_TYPE}.` })
  }
  const coded = codedBody(request.headers)
  if (coded !== undefined) throw coded
  if (request.headers['idempotency-key'] === undefined) return
  throw new ProblemError('validation_failed', {
    detail: 'A batch has no idempotency key.',
    hint: 'Each of its lines may have its own: "idempotencyKey".',
  })
}

/** A line's turn has come: from here on it is a call as any other. */
function createLineCaller(
  request: FastifyRequest,
  { answering, principalOf, renew, authorize, admit, newId }: BatchRoutesOptions,
): (call: BatchCall) => Promise<HttpAnswer> {
  const principal = principalOf(request)
  const context = namedContext(contextOf(request), principal)
  const preferences = parsePrefer(undefined)
  return async ({ target, args, deadlineMs, idempotencyKey }) => {
    try {
      const renewed = renew?.(request)
      if (renewed !== undefined) await renewed
      authorize?.(request, { target, args })
      if (admit !== undefined) await admit(request, { target, args })
      const patience = 'queues'
      const invocation = invocationOf({ id: newId(), target, args, deadlineMs, context, patience })
      return await answering.answer({ invocation, preferences, idempotencyKey, principal })
    } catch (error) {
      throw noted(request, error)
    }
  }
}

function invocationOf(options: Parameters<typeof toInvocation>[0]): ReturnType<typeof toInvocation> {
  try {
    return toInvocation(options)
  } catch (error) {
    throw error instanceof ProblemError ? underArgs(error) : error
  }
}

/** A defect fails its line, and the log has the cause. */
function logged(
  request: FastifyRequest,
  read: LineReader,
  view: LineView | undefined,
): (bytes: Buffer, number: number) => ReadLine {
  return (bytes, number) => {
    try {
      return read(bytes, number, view)
    } catch (error) {
      return { kind: 'refused', place: { kind: 'line', number }, problem: noted(request, error) }
    }
  }
}

function noted(request: FastifyRequest, error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  request.log.error({ err: error }, 'a line of a batch failed')
  return new ProblemError('internal_error', { detail: 'The gateway could not finish this call.' })
}

interface Streamed {
  readonly run: BatchRun
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly isClosing: () => boolean
}

function stream({ run, request, reply, isClosing }: Streamed): FastifyReply {
  const { raw } = reply
  // The status goes out before the first line comes: a caller may wait for it before he sends one.
  run.answers.once('resume', () => raw.flushHeaders())
  void run.ended.then(({ isCut }) => {
    // The head, which could have said so, was sent long ago.
    if (!isCut && !isClosing()) return
    if (raw.writableFinished) closeSoon(request.raw)
    else raw.once('finish', () => closeSoon(request.raw))
  })
  return reply.type(BATCH_MEDIA_TYPE).header('cache-control', 'no-store').send(run.answers)
}

/** Closing at once, with bytes unread, would take the answers with it: TCP resets such a connection. */
function closeSoon(source: IncomingMessage): void {
  const { socket } = source
  // A request by `inject` has none that could be closed.
  if (!(socket instanceof Socket)) return
  const close = () => socket.destroySoon()
  const timer = setTimeout(close, LINGER_MS)
  if (source.complete) close()
  else source.once('end', close)
  socket.once('close', () => clearTimeout(timer))
}
