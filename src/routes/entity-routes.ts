import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { EntityDescriptor, JsonSchema, MethodDescriptor } from '../entity-registry/descriptor.ts'
import { stringifyExact } from '../entity-registry/exact-json.ts'
import { pointerSegment } from '../entity-registry/metadata-error.ts'
import type { Capabilities, InvocationContext, Key } from '../runtime-adapters/contract.ts'
import type { Answering } from './answering.ts'
import { type Binding, bindingsOf, clashes, type Operation, retirementOf } from './binding.ts'
import { type LinksByStatus, linksOf } from './document-links.ts'
import { etagOf, isKnown } from './etag.ts'
import { createGathering } from './gathered-answers.ts'
import { operationIdsOf } from './operation-ids.ts'
import type { Admit, Asked, Authorize } from './operation-rules.ts'
import { PROBLEM_MEDIA_TYPE, ProblemError } from './problem.ts'
import { createQueryReader } from './query-arguments.ts'
import { routeSchema } from './route-schema.ts'
import { policyMsOf } from './target.ts'
import type { HttpAnswer } from './to-http.ts'
import { createArgumentCheck, createKeyParser, createValueCheck, toInvocation } from './to-invocation.ts'
import { readTraceContext } from './trace-context.ts'
import { applyPreferences, deadlineFor, failureHeaders, readWishes, type Wishes } from './wishes.ts'

export interface EntityRoutesOptions {
  readonly entities: readonly EntityDescriptor[]
  readonly capabilitiesOf: (entity: EntityDescriptor) => Capabilities
  readonly answering: Answering
  readonly principalOf: (request: FastifyRequest) => string
  /** `undefined`: everybody may do everything. */
  readonly authorize?: Authorize | undefined
  /** `undefined`: there are no quotas. */
  readonly admit?: Admit | undefined
  /** Milliseconds for calls whose method has no deadline of its own. */
  readonly defaultDeadlineMs: number
  /** The longest that a caller may ask to wait. */
  readonly maxWaitMs: number
}

/** One Fastify route for each binding of each entity. Throws when two operations would share a route. */
export function registerEntityRoutes(app: FastifyInstance, options: EntityRoutesOptions): void {
  const bindings = options.entities.flatMap((entity) => bindingsOf(entity, options.capabilitiesOf(entity)))
  const problems = clashes(bindings)
  if (problems.length > 0) throw new Error(problems.join('\n'))
  const isTime = createGathering()
  const ids = operationIdsOf(bindings)
  for (const [binding, operationId] of ids) {
    registerBinding(app, binding, { ...options, isTime, operationId, links: linksOf(binding, ids) })
  }
}

/** A caller with what he asks for. */
interface Waiting {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly asked: Asked
  readonly wishes: Wishes
}

interface BindingOptions extends EntityRoutesOptions {
  /** Resolves when an answer that is ready may be written. */
  readonly isTime: () => Promise<void>
  readonly operationId: string
  readonly links: LinksByStatus
}

function registerBinding(app: FastifyInstance, binding: Binding, options: BindingOptions): void {
  const { answering, principalOf, authorize, admit, defaultDeadlineMs, maxWaitMs, isTime, operationId, links } = options
  const { verb, url, operation } = binding
  const { read, schema: args } = createReader(operation)
  const takesQuery = operation.kind === 'call' && operation.args === 'query'
  const policyMs = policyMsOf(operation, defaultDeadlineMs)
  app.route({
    method: verb,
    url,
    config: { operation },
    schema: routeSchema(binding, { operationId, args, isRateLimited: admit !== undefined }),
    links,
    // The schema above is documentation: `read` checks the request, and answers are written as text.
    validatorCompiler: () => () => true,
    serializerCompiler: () => stringifyExact,
    attachValidation: false,
    ...announceEnd(operation),
    // Not an async function: its frame and promises would be kept for as long as the call waits.
    handler(request, reply) {
      if (takesQuery) refuseBody(request)
      else refuseQuery(request)
      const wishes = readWishes(request, maxWaitMs)
      const asked = read(request)
      authorize?.(request, asked)
      const waiting: Waiting = { request, reply, asked, wishes }
      if (admit === undefined) return call(waiting)
      admitted(waiting, admit)
        .then(call)
        .catch((error) => reply.send(error))
    },
  })

  function call({ request, reply, asked: { target, args }, wishes }: Waiting): void {
    const deadlineMs = deadlineFor(wishes.preferences, policyMs)
    const principal = principalOf(request)
    const context = namedContext(contextOf(request), principal)
    const invocation = toInvocation({ id: request.id, target, args, deadlineMs, context })
    const write = (answer: HttpAnswer): void =>
      void isTime().then(() => {
        try {
          send(request, reply, applyPreferences(answer, wishes))
        } catch (error) {
          reply.send(error)
        }
      })
    answering
      .answer({ ...wishes, invocation, principal })
      .then(write, (error) => reply.headers(failureHeaders(wishes)).send(error))
  }
}

/** Throws where a quota is used up; the caller learns from the fields how much is left. */
async function admitted(waiting: Waiting, admit: Admit): Promise<Waiting> {
  waiting.reply.headers(await admit(waiting.request, waiting.asked))
  return waiting
}

/** RFC 9745 and RFC 8594: on every answer of the route, failures too. */
function announceEnd(operation: Operation): { readonly onRequest?: onRequestHookHandler } {
  const retirement = retirementOf(operation)
  if (retirement === undefined) return {}
  const deprecation = `@${Math.floor(retirement.deprecatedAtMs / 1_000)}`
  const sunset = new Date(retirement.sunsetAtMs).toUTCString()
  return {
    onRequest(_request, reply, done) {
      reply.headers({ deprecation, sunset })
      done()
    },
  }
}

/** A misplaced argument must not be dropped in silence. */
export function refuseQuery({ query }: FastifyRequest): void {
  const names = Object.keys(query as object)
  if (names.length === 0) return
  throw new ProblemError('validation_failed', {
    detail: 'This route takes no query parameters.',
    errors: names
      .slice(0, 20)
      .map((name) => ({ pointer: `#/query/${pointerSegment(name)}`, detail: 'is not known here' })),
    hint: 'Arguments go into the JSON body.',
  })
}

/** As above. An empty object has nothing to drop. */
function refuseBody({ body = {} }: FastifyRequest): void {
  if (typeof body === 'object' && body !== null && Object.keys(body).length === 0) return
  throw new ProblemError('validation_failed', {
    detail: 'This route takes no body.',
    errors: [{ pointer: '#', detail: 'is not known here' }],
    hint: 'Arguments go into the query.',
  })
}

type Reader = (request: FastifyRequest) => Asked

function createReader(operation: Operation): { readonly read: Reader; readonly schema: JsonSchema | undefined } {
  const { entity } = operation
  const keyOf = createKeyReader(entity)
  switch (operation.kind) {
    case 'create': {
      const { schema, check } = createArgumentCheck(entity.create?.params ?? [])
      return { schema, read: ({ body }) => ({ target: { kind: 'create', entity }, args: check(body) }) }
    }
    case 'find':
    case 'read-state': {
      const { kind } = operation
      return { schema: undefined, read: (request) => ({ target: { kind, entity, key: keyOf(request) }, args: {} }) }
    }
    case 'read-attribute': {
      const { attribute } = operation
      return {
        schema: undefined,
        read: (request) => ({ target: { kind: 'read-attribute', entity, key: keyOf(request), attribute }, args: {} }),
      }
    }
    case 'write-attribute': {
      const { attribute } = operation
      const check = createValueCheck(attribute.schema, `This is not a value of ${attribute.name}.`)
      return {
        schema: attribute.schema,
        read: (request) => {
          if (request.body === undefined) throw missingValue(attribute.name)
          check(request.body)
          const key = keyOf(request)
          return { target: { kind: 'write-attribute', entity, key, attribute, value: request.body }, args: {} }
        },
      }
    }
    case 'call':
      return createCallReader(operation, keyOf)
  }
}

/** No schema would notice, where any value is one of the attribute. */
function missingValue(attribute: string): ProblemError {
  return new ProblemError('validation_failed', {
    detail: `The value of ${attribute} is missing.`,
    errors: [{ pointer: '#', detail: 'is required' }],
  })
}

function createCallReader(
  { entity, method, args }: Extract<Operation, { kind: 'call' }>,
  keyOf: (request: FastifyRequest) => Key,
): ReturnType<typeof createReader> {
  const { schema, check } = createArgumentCheck(method.params)
  const readArgs = args === 'body' ? ({ body }: FastifyRequest) => body : createQueryArguments(method)
  const read: Reader = (request) => ({
    target: { kind: 'call', entity, key: keyOf(request), method },
    args: check(readArgs(request)),
  })
  return { schema, read }
}

function createQueryArguments({ params }: MethodDescriptor): (request: FastifyRequest) => unknown {
  const read = createQueryReader(params)
  // Fastify's default type of a query is unknown; its parser makes an object of strings and lists of strings.
  return ({ query }) => read(query as Record<string, unknown>)
}

function createKeyReader(entity: EntityDescriptor): (request: FastifyRequest) => Key {
  const parse = createKeyParser(entity)
  // Every route with a key has it as `:key`.
  return (request) => parse((request.params as { readonly key: string }).key)
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What calls of this request belong to, where it is not what its headers say: a span inside the gateway. */
    callContext?: InvocationContext
  }
}

export function contextOf({ headers, callContext }: FastifyRequest): InvocationContext {
  return callContext ?? readTraceContext(headers)
}

/** A context that says who calls, where that is known. */
export function namedContext(context: InvocationContext, principal: string): InvocationContext {
  return principal === '' ? context : { ...context, principal }
}

/** Values that a GET reads carry an ETag, so that a caller who has one already is told so in an empty answer. */
function send(request: FastifyRequest, reply: FastifyReply, { status, headers, body }: HttpAnswer): FastifyReply {
  reply.code(status).headers(headers)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (!isRead || status !== 200) return reply.send(payloadOf(headers, body))
  const etag = etagOf(body)
  reply.header('etag', etag)
  if (isKnown(etag, request.headers['if-none-match'])) return reply.code(304).send()
  return reply.send(payloadOf(headers, body))
}

/** A kept problem goes as bytes: to text, Fastify would add a charset, which its media type does not have. */
function payloadOf(headers: HttpAnswer['headers'], body: string): string | Buffer | undefined {
  if (body === '') return undefined
  return headers['content-type'] === PROBLEM_MEDIA_TYPE ? Buffer.from(body) : body
}
