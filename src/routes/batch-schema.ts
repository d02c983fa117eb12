import type { FastifySchema } from 'fastify'
import { LONGEST_TIMER_MS } from '../entity-registry/longest-timer.ts'
import { problemResponses } from './problem-responses.ts'

export const BATCH_PATH = '/-/batch'
export const BATCH_MEDIA_TYPE = 'application/x-ndjson'

/** Characters of an id or an idempotency key. */
const MAX_NAME_LENGTH = 255

/** One line of a batch, as it is sent and as it is checked. */
export const lineSchema = {
  type: 'object',
  description: 'One line: one call.',
  required: ['entity', 'method'],
  additionalProperties: false,
  properties: {
    id: {
      type: ['string', 'integer'],
      maxLength: MAX_NAME_LENGTH,
      description: 'Comes back with the answer; left out, the answer has the number of its line, counted from 1.',
    },
    entity: { type: 'string', description: 'As in the paths of single calls.' },
    key: { type: ['string', 'integer'], description: 'The entity’s key, of its own JSON type; a `create` has none.' },
    method: { type: 'string', description: 'A method’s name, or `create`.' },
    args: { type: 'object', additionalProperties: true, description: 'As the body of a single call.' },
    idempotencyKey: {
      type: 'string',
      pattern: '^[\\x20-\\x7e]+$',
      maxLength: MAX_NAME_LENGTH,
      description: 'As the header of a single call: the same key again gets the same answer.',
    },
    waitMs: {
      type: 'integer',
      minimum: 1,
      maximum: LONGEST_TIMER_MS,
      description: 'Milliseconds that this call may take once its turn has come; the operator’s cap holds.',
    },
  },
  examples: [{ id: '1', entity: 'user', key: 'alice', method: 'buy_item', args: { amount: 1, item: 'laptop' } }],
} as const

const answerSchema = {
  type: 'object',
  description: 'One line: the answer to one call. Answers come in the order of completion.',
  required: ['status'],
  properties: {
    id: { type: ['string', 'integer'], description: 'The id of the call.' },
    line: { type: 'integer', minimum: 1, description: 'The number of the line, where it has no id that can be read.' },
    status: { type: 'integer', minimum: 200, maximum: 599, description: 'As of a single call.' },
    location: { type: 'string', format: 'uri-reference', description: 'As the header of a single answer.' },
    replayed: { type: 'boolean', description: 'The answer was given before, to the same idempotency key.' },
    body: {
      description: 'Any JSON value: what a single call would have been answered with. Left out where there is none.',
    },
    problem: { $ref: 'Problem#' },
  },
  examples: [{ id: '1', status: 200, body: true }],
} as const

/** What the OpenAPI document says of the route; lines are checked one by one. */
export const batchSchema: FastifySchema = {
  operationId: 'batch',
  tags: ['gateway'],
  summary: 'Many calls in one request',
  description:
    'A stream of calls in, a stream of answers out, one JSON object a line. Calls of one entity key are made in the order of ' +
    'their lines, those of different keys side by side. A line that fails has its own problem, and the others go on. Send ' +
    'and read at the same time: lines are taken no faster than answers are read.',
  body: { content: { [BATCH_MEDIA_TYPE]: { schema: lineSchema } } },
  response: {
    200: { description: 'The answers, one a line.', content: { [BATCH_MEDIA_TYPE]: { schema: answerSchema } } },
    ...problemResponses([
      'bad_request',
      'validation_failed',
      'unsupported_call',
      'unknown_preference',
      'unsupported_media_type',
      'headers_too_large',
      'internal_error',
      'overloaded',
      'shutting_down',
    ]),
  },
}
