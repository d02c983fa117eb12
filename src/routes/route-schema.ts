import type { FastifySchema } from 'fastify'
import type { EntityDescriptor, JsonSchema } from '../entity-registry/descriptor.ts'
import { type Binding, mayBeAccepted, type Operation, retirementOf } from './binding.ts'
import { stateSchema } from './checked-answers.ts'
import { hasEtag, parametersOf, requestBodyOf } from './described-arguments.ts'
import { EXACT_PARTS, type ExactParts } from './exact-parts.ts'
import type { ProblemCode } from './problem-codes.ts'
import { declaredResponses, joined, type ProblemResponses, problemResponses } from './problem-responses.ts'

export interface Described {
  readonly operationId: string
  /** Of the body or the query; `undefined`: there are no arguments. */
  readonly args: JsonSchema | undefined
  readonly isRateLimited: boolean
}

/** What the OpenAPI document says of a route. Written here only; requests are checked by `to-invocation.ts`. */
export function routeSchema(binding: Binding, described: Described): FastifySchema {
  const { operation } = binding
  const { operationId, args, isRateLimited } = described
  const requestBody = requestBodyOf(operation, args)
  const parts: ExactParts = { parameters: parametersOf(binding), requestBody, contents: contentsOf(operation) }
  return {
    operationId,
    tags: [operation.entity.name],
    summary: summaryOf(operation),
    ...descriptionOf(operation),
    ...(retirementOf(operation) === undefined ? {} : { deprecated: true }),
    response: responses(binding, { isBody: requestBody !== undefined, isRateLimited }),
    ...{ [EXACT_PARTS]: parts },
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

interface Served {
  readonly isBody: boolean
  readonly isRateLimited: boolean
}

function responses(binding: Binding, served: Served): Record<string, unknown> {
  const { operation, verb } = binding
  const problems = problemResponses(problemCodesOf(binding, served))
  const plain = {
    ...success(operation, verb),
    ...(verb === 'GET' ? {} : bodiless(operation)),
    ...problems,
    ...(mayBeAccepted(binding) ? collectable(binding, problems) : {}),
  }
  return operation.kind === 'call' ? joined(plain, declaredResponses(operation.method.errors)) : plain
}

/** A call that goes on has an address where its answer can be collected. */
function collectable({ verb, operation }: Binding, { 504: silent }: ProblemResponses): Record<string, unknown> {
  const isLate = operation.kind === 'call' && operation.method.acceptLate
  const asked = verb === 'GET' ? [] : ['as `Prefer: respond-async` asked for']
  const reasons = [...asked, ...(isLate ? ['when its deadline had passed'] : [])]
  return {
    202: {
      description: `Sent, and not answered yet: ${reasons.join(', or ')}.`,
      headers: { ...header('Location', 'Where its answer can be collected.'), ...header('Retry-After', 'Seconds.') },
      content: { 'application/json': { schema: { $ref: 'InvocationStatus#' } } },
    },
    504: { ...silent, headers: header('Location', 'Where its answer can be collected, should it come.') },
  }
}

/** A call that returns something, whose caller wants no body. */
function bodiless(operation: Operation): Record<string, unknown> {
  if (operation.kind !== 'call' || operation.method.returns === undefined) return {}
  return {
    204: bare('Done, and answered without a body: as `Prefer: return=minimal` asked for.'),
  }
}

/** Without their contents, see `contentsOf`. */
function success(operation: Operation, verb: string): Record<string, unknown> {
  switch (operation.kind) {
    case 'create':
      return { 201: { ...bare('Created.'), headers: header('Location', 'The path of the new entity.') } }
    case 'find':
      return read('It exists.')
    case 'read-state':
      return read('Its readable state.')
    case 'read-attribute':
      return read('The attribute’s value.')
    case 'write-attribute':
      return { 204: bare('Written.') }
    case 'call':
      if (!hasEtag(operation)) return { 204: bare('Done. The method returns nothing.') }
      return verb === 'GET' ? read('What the method returned.') : { 200: bare('What the method returned.') }
  }
}

function bare(description: string): { readonly description: string; readonly type: 'null' } {
  return { description, type: 'null' }
}

function read(description: string): Record<string, unknown> {
  return {
    200: { ...bare(description), headers: header('ETag', 'Changes when the value does.') },
    304: bare('As it was when the ETag in If-None-Match was given.'),
  }
}

function contentsOf(operation: Operation): ExactParts['contents'] {
  const { entity } = operation
  switch (operation.kind) {
    case 'create':
      return { 201: json(keyObject(entity)) }
    case 'find':
      return { 200: json(keyObject(entity)) }
    case 'read-state':
      return { 200: json(stateSchema(entity)) }
    case 'read-attribute':
      return { 200: json(operation.attribute.schema) }
    case 'write-attribute':
      return {}
    case 'call':
      return operation.method.returns === undefined ? {} : { 200: json(operation.method.returns) }
  }
}

function header(name: string, description: string): Record<string, unknown> {
  return { [name]: { type: 'string', description } }
}

function json(schema: JsonSchema): object {
  const anyJson = { description: 'Any JSON value.' }
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

function problemCodesOf({ operation, verb }: Binding, { isBody, isRateLimited }: Served): readonly ProblemCode[] {
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
