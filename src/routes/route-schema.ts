import type { FastifySchema } from 'fastify'
import type { EntityDescriptor, JsonSchema, MethodDescriptor } from '../entity-registry/descriptor.ts'
import { type Binding, type Operation, retirementOf } from './binding.ts'
import { stateSchema } from './checked-answers.ts'
import { IDEMPOTENCY_KEY_PATTERN } from './idempotency.ts'
import { PROBLEM_MEDIA_TYPE } from './problem.ts'
import type { ProblemCode } from './problem-codes.ts'
import { problemResponses } from './problem-responses.ts'

/** What the OpenAPI document says of a route. Written here only; requests are checked by `to-invocation.ts`. */
export function routeSchema(binding: Binding, body: JsonSchema | undefined, isRateLimited = false): FastifySchema {
  const { verb, operation } = binding
  const { entity } = operation
  const isBody = operation.kind === 'create' || operation.kind === 'write-attribute' || isCallWithBody(operation)
  return {
    operationId: operationIdOf(binding),
    tags: [entity.name],
    summary: summaryOf(operation),
    ...descriptionOf(operation),
    ...(retirementOf(operation) === undefined ? {} : { deprecated: true }),
    ...(operation.kind === 'create' ? {} : { params: keyParameter(entity) }),
    ...(isBody && body !== undefined ? { body: withExamples(body, operation) } : {}),
    ...(isCallable(operation) && takesNothing(body) ? { [OPTIONAL_BODY]: true } : {}),
    ...(operation.kind === 'call' && operation.args === 'query'
      ? { querystring: withMemberExamples(body, operation.method) }
      : {}),
    headers: wishHeaders(verb),
    response: responses(operation, { isBody, verb, isRateLimited }),
  }
}

/** Marks a route whose body may be left out, for who writes the document: Fastify's schemas can't say it. */
export const OPTIONAL_BODY = 'x-optional-body'

function isCallable(operation: Operation): boolean {
  return operation.kind === 'create' || isCallWithBody(operation)
}

/** No argument has to be given, so no body has to be sent. Written by `createArgumentCheck`: an object with a list. */
function takesNothing(body: JsonSchema | undefined): boolean {
  return Array.isArray(body?.required) && body.required.length === 0
}

/** Headers by which a caller says how he wants to be answered, see `wishes.ts`. */
function wishHeaders(verb: string): JsonSchema {
  const prefer = {
    type: 'string',
    description: `RFC 7240: \`wait=N\` seconds${verb === 'GET' ? '' : ', `respond-async`, `return=minimal`'}, \`handling=strict\`.`,
  }
  const key = {
    type: 'string',
    pattern: IDEMPOTENCY_KEY_PATTERN,
    description: 'The same key again gets the same answer; the call is sent once.',
  }
  return { type: 'object', properties: verb === 'GET' ? { prefer } : { prefer, 'idempotency-key': key } }
}

function isCallWithBody(operation: Operation): boolean {
  return operation.kind === 'call' && operation.args === 'body'
}

/** `<entity>_<method>` for methods; `create_user`, `get_user`, `get_user_balance`, `put_user_balance` for the rest. */
export function operationIdOf({ verb, operation }: Binding): string {
  const { path } = operation.entity
  const entity = path.replace(/\W+/g, '_')
  switch (operation.kind) {
    case 'create':
      return `create_${entity}`
    case 'find':
    case 'read-state':
      return `get_${entity}`
    case 'read-attribute':
      return `get_${entity}_${operation.attribute.name}`
    case 'write-attribute':
      return `put_${entity}_${operation.attribute.name}`
    case 'call':
      return `${entity}_${operation.method.name}${verb === 'GET' && operation.method.binding?.verb !== 'GET' ? '_safely' : ''}`
  }
}

function summaryOf(operation: Operation): string {
  const { name } = operation.entity
  switch (operation.kind) {
    case 'create':
      return `Create ${name}`
    case 'find':
      return `Is there such a ${name}?`
    case 'read-state':
      return `Read ${name}`
    case 'read-attribute':
      return `Read ${name}.${operation.attribute.name}`
    case 'write-attribute':
      return `Write ${name}.${operation.attribute.name}`
    case 'call':
      return firstSentence(operation.method.description) ?? `Call ${name}.${operation.method.name}`
  }
}

/** Short enough for one line of a list; the rest stands in the description. */
function firstSentence(text: string): string | undefined {
  return /^\s*((?:[^.!?\n]|[.!?](?!\s|$)){2,100})(?=[.!?]|\n|$)/.exec(text)?.[1]?.trim()
}

function descriptionOf(operation: Operation): { readonly description?: string } {
  const description =
    operation.kind === 'call'
      ? operation.method.description
      : operation.kind === 'create'
        ? operation.entity.create?.description
        : 'attribute' in operation
          ? operation.attribute.description
          : operation.entity.description
  return description === undefined || description === '' ? {} : { description }
}

function keyParameter(entity: EntityDescriptor): JsonSchema {
  const schema = { description: `The key (${entity.key.name}) of the ${entity.name}.`, ...entity.key.schema }
  return { type: 'object', properties: { key: { ...schema, ...exampleKey(entity) } }, required: ['key'] }
}

function exampleKey({ create }: EntityDescriptor): { readonly examples?: readonly unknown[] } {
  const example = create?.keyParam === undefined ? undefined : create.examples[0]?.[create.keyParam]
  return example === undefined ? {} : { examples: [example] }
}

function withExamples(body: JsonSchema, operation: Operation): JsonSchema {
  const examples =
    operation.kind === 'call'
      ? operation.method.examples
      : operation.kind === 'create'
        ? (operation.entity.create?.examples ?? [])
        : []
  return examples.length === 0 ? body : { ...body, examples }
}

/** Arguments of a query are documented one by one, so each takes its own from the first example. */
function withMemberExamples(query: JsonSchema | undefined, { examples: [example] }: MethodDescriptor): JsonSchema {
  // Written by `createArgumentCheck`: an object schema with a schema for each argument.
  const properties = (query?.properties ?? {}) as Readonly<Record<string, JsonSchema>>
  const shown = Object.entries(properties).map(([name, schema]) => [
    name,
    example === undefined || example[name] === undefined ? schema : { ...schema, examples: [example[name]] },
  ])
  return { ...query, properties: Object.fromEntries(shown) }
}

interface Served {
  readonly isBody: boolean
  readonly verb: string
  readonly isRateLimited: boolean
}

function responses(operation: Operation, served: Served): Record<string, unknown> {
  return {
    ...success(operation),
    ...(served.verb === 'GET' ? {} : { ...bodiless(operation), ...accepted }),
    ...problemResponses(problemCodesOf(operation, served)),
    ...declaredErrors(operation),
  }
}

const accepted = {
  202: {
    description: 'Sent, and not answered yet: as `Prefer: respond-async` asked for.',
    headers: { ...header('Location', 'Where its answer can be collected.'), ...header('Retry-After', 'Seconds.') },
    content: { 'application/json': { schema: { $ref: 'InvocationStatus#' } } },
  },
}

/** A call that returns something, whose caller wants no body. */
function bodiless(operation: Operation): Record<string, unknown> {
  if (operation.kind !== 'call' || operation.method.returns === undefined) return {}
  return {
    204: { description: 'Done, and answered without a body: as `Prefer: return=minimal` asked for.', type: 'null' },
  }
}

const anyJson = { description: 'Any JSON value.' }

function success(operation: Operation): Record<string, unknown> {
  switch (operation.kind) {
    case 'create':
      return {
        201: {
          description: 'Created.',
          headers: header('Location', 'The path of the new entity.'),
          content: json(keyObject(operation.entity)),
        },
      }
    case 'find':
      return {
        200: { description: 'It exists.', headers: etag, content: json(keyObject(operation.entity)) },
        ...notModified,
      }
    case 'read-state':
      return {
        200: { description: 'Its readable state.', headers: etag, content: json(stateSchema(operation.entity)) },
        ...notModified,
      }
    case 'read-attribute':
      return {
        200: { description: 'The attribute’s value.', headers: etag, content: json(operation.attribute.schema) },
        ...notModified,
      }
    case 'write-attribute':
      return { 204: { description: 'Written.', type: 'null' } }
    case 'call':
      return operation.method.returns === undefined
        ? { 204: { description: 'Done. The method returns nothing.', type: 'null' } }
        : { 200: { description: 'What the method returned.', content: json(operation.method.returns) } }
  }
}

const notModified = { 304: { description: 'As it was when the ETag in If-None-Match was given.', type: 'null' } }
const etag = header('ETag', 'Changes when the value does.')

function header(name: string, description: string): Record<string, unknown> {
  return { [name]: { type: 'string', description } }
}

function json(schema: JsonSchema): Record<string, unknown> {
  return { 'application/json': { schema: Object.keys(schema).length === 0 ? anyJson : schema } }
}

function keyObject(entity: EntityDescriptor): JsonSchema {
  return { type: 'object', properties: { key: entity.key.schema }, required: ['key'] }
}

const KEPT_CALL_CODES = [
  'invalid_idempotency_key',
  'idempotency_key_reused',
  'store_unavailable',
  'answer_too_large',
] as const

function problemCodesOf(operation: Operation, { isBody, verb, isRateLimited }: Served): readonly ProblemCode[] {
  return [
    ...(verb === 'GET' ? [] : KEPT_CALL_CODES),
    ...(isBody ? (['malformed_json', 'unsupported_media_type', 'body_too_large', 'record_too_large'] as const) : []),
    ...(isRateLimited ? (['rate_limited'] as const) : []),
    'validation_failed',
    'unsupported_call',
    'bad_request',
    'unknown_preference',
    ...(operation.kind === 'create'
      ? (['entity_exists'] as const)
      : (['invalid_key', 'entity_not_found', 'uri_too_long'] as const)),
    ...(operation.kind === 'call' || operation.kind === 'create'
      ? (['method_raised', 'entity_not_found'] as const)
      : []),
    ...(['internal_error', 'unreadable_answer', 'overloaded', 'broker_unavailable', 'runtime_unavailable'] as const),
    ...(['shutting_down', 'deadline_exceeded', 'connection_lost', 'answer_abandoned', 'headers_too_large'] as const),
  ]
}

function declaredErrors(operation: Operation): Record<string, unknown> {
  if (operation.kind !== 'call') return {}
  return Object.fromEntries(
    [...operation.method.errors].map(([name, { status, description }]) => [
      status,
      { description: `${name}: ${description}`, content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' } } } },
    ]),
  )
}
