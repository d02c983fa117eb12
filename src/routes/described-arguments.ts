import type {
  EntityDescriptor,
  JsonSchema,
  MethodDescriptor,
  ParameterDescriptor,
} from '../entity-registry/descriptor.ts'
import type { Binding, Operation } from './binding.ts'
import { IDEMPOTENCY_KEY_PATTERN } from './idempotency.ts'
import { isWrittenPlainly } from './query-arguments.ts'

/** What the OpenAPI document says of what callers send, in its own form. */

export function parametersOf({ verb, operation }: Binding): readonly object[] {
  return [
    ...(operation.kind === 'call' && operation.args === 'query' ? queryParameters(operation.method) : []),
    ...(operation.kind === 'create' ? [] : [keyParameter(operation.entity)]),
    ...(verb === 'GET' ? readHeaders(operation) : callHeaders),
  ]
}

/** `undefined`: none is taken. */
export function requestBodyOf(operation: Operation, schema: JsonSchema | undefined): object | undefined {
  const isTaken = operation.kind === 'create' || operation.kind === 'write-attribute' || isCallWithBody(operation)
  if (!isTaken || schema === undefined) return undefined
  const media = { schema, ...shownExamples(examplesOf(operation)) }
  return { required: !mayBeLeftOut(operation, schema), content: { 'application/json': media } }
}

function isCallWithBody(operation: Operation): boolean {
  return operation.kind === 'call' && operation.args === 'body'
}

/** No argument has to be given, so no body has to be sent. Written by `createArgumentCheck`: an object with a list. */
function mayBeLeftOut({ kind }: Operation, { required }: JsonSchema): boolean {
  return kind !== 'write-attribute' && Array.isArray(required) && required.length === 0
}

function examplesOf(operation: Operation): readonly unknown[] {
  if (operation.kind === 'call') return operation.method.examples
  return operation.kind === 'create' ? (operation.entity.create?.examples ?? []) : []
}

function shownExamples(examples: readonly unknown[]): object {
  if (examples.length < 2) return examples.length === 0 ? {} : { example: examples[0] }
  return { examples: Object.fromEntries(examples.map((value, index) => [`example${index + 1}`, { value }])) }
}

/** Arguments of a query are documented one by one, so each takes its own from the first example. */
function queryParameters({ params, examples: [example = {}] }: MethodDescriptor): readonly object[] {
  return params.map((param) => queryParameter(param, Object.hasOwn(example, param.name) ? [example[param.name]] : []))
}

function queryParameter({ name, schema, required }: ParameterDescriptor, examples: readonly unknown[]): object {
  const { description, ...rest } = schema
  const media = { schema: rest, ...shownExamples(examples) }
  return {
    // Of the rest, clients would write each member by itself.
    ...(isWrittenPlainly(schema) ? media : { content: { 'application/json': media } }),
    ...{ in: 'query', name, required },
    ...(description === undefined ? {} : { description }),
  }
}

function keyParameter({ name, key, create }: EntityDescriptor): object {
  const { description = `The key (${key.name}) of the ${name}.`, ...schema } = key.schema
  const example = create?.keyParam === undefined ? undefined : create.examples[0]?.[create.keyParam]
  return { schema, ...(example === undefined ? {} : { example }), in: 'path', name: 'key', required: true, description }
}

/** Headers by which a caller says how he wants to be answered, see `wishes.ts`. */
function preferHeader(more: string): object {
  const description = `RFC 7240: \`wait=N\` seconds${more}, \`handling=strict\`.`
  return { schema: { type: 'string' }, in: 'header', name: 'prefer', required: false, description }
}

const callHeaders: readonly object[] = [
  preferHeader(', `respond-async`, `return=minimal`'),
  {
    ...{ schema: { type: 'string', pattern: IDEMPOTENCY_KEY_PATTERN }, in: 'header', name: 'idempotency-key' },
    ...{ required: false, description: 'The same key again gets the same answer; the call is sent once.' },
  },
]

function readHeaders(operation: Operation): readonly object[] {
  const prefer = preferHeader('')
  if (!hasEtag(operation)) return [prefer]
  const description = 'The ETag of an answer; 304 says that it is still so.'
  return [prefer, { schema: { type: 'string' }, in: 'header', name: 'if-none-match', required: false, description }]
}

/** Whether its answer to a GET has a body, which has an ETag then. */
export function hasEtag(operation: Operation): boolean {
  return operation.kind !== 'call' || operation.method.returns !== undefined
}
