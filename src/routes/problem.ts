import type { FastifyReply, FastifyRequest } from 'fastify'
import { stringifyExact } from '../entity-registry/exact-json.ts'
import {
  type ProblemCode,
  type ProblemKind,
  type ProblemOutcome,
  type ProblemRetry,
  problemKinds,
} from './problem-codes.ts'
import type { HttpAnswer } from './to-http.ts'

/** One place in the request that is wrong. */
export interface ProblemPlace {
  /** JSON Pointer into the body, `#/path/key`, or `#/query/name`. */
  readonly pointer: string
  readonly detail: string
}

export interface ProblemFields {
  readonly detail: string
  readonly hint?: string | undefined
  readonly errors?: readonly ProblemPlace[]
  readonly invocationId?: string
  /** Where it differs from the table's. */
  readonly status?: number
  readonly outcome?: ProblemOutcome
  readonly retry?: ProblemRetry
  /** The method's own error. */
  readonly error?: { readonly name?: string; readonly data?: unknown }
  readonly checks?: readonly object[]
  /** Names of the quotas that a call was over. */
  readonly violatedPolicies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** A failure on its way to the caller. Thrown by hooks, handlers and `gateway.entity(…)`; the error handler writes it. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode
  readonly fields: ProblemFields

  constructor(code: ProblemCode, fields: ProblemFields) {
    super(fields.detail)
    this.code = code
    this.fields = fields
  }

  get status(): number {
    return this.fields.status ?? problemKinds[this.code].status
  }
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** Seconds after which a caller may come back to a replica that could not take his call. */
const RETRY_AFTER_SECONDS = '1'

/** The body, as RFC 9457 has it, with the gateway's extension members. */
export function problemBody(problem: ProblemError, instance: string): Record<string, unknown> {
  const kind: ProblemKind = problemKinds[problem.code]
  const { detail, invocationId, errors, hint, error, checks, violatedPolicies, outcome, retry } = problem.fields
  return {
    type: `/-/problems/${problem.code}`,
    title: kind.title,
    status: problem.status,
    detail,
    instance,
    code: problem.code,
    source: kind.source,
    outcome: outcome ?? kind.outcome,
    retry: retry ?? kind.retry,
    ...(invocationId === undefined ? {} : { invocationId }),
    ...(errors === undefined ? {} : { errors }),
    ...(hint === undefined ? {} : { hint }),
    ...(error === undefined ? {} : { error }),
    ...(checks === undefined ? {} : { checks }),
    ...(violatedPolicies === undefined ? {} : { 'violated-policies': violatedPolicies }),
  }
}

/** A problem as an answer that can be kept. */
export function problemAnswer(problem: ProblemError, id: string): HttpAnswer {
  return {
    status: problem.status,
    headers: { ...headersOf(problem), 'content-type': PROBLEM_MEDIA_TYPE },
    body: stringifyExact(problemBody(problem, `urn:uuid:${id}`)),
  }
}

function headersOf({ code, fields }: ProblemError): Readonly<Record<string, string>> {
  const kind: ProblemKind = problemKinds[code]
  return { ...(kind.retry === 'after' ? { 'retry-after': RETRY_AFTER_SECONDS } : {}), ...fields.headers }
}

/** Writes a problem as the answer. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: ProblemError): FastifyReply {
  const { status, headers, body } = problemAnswer(problem, request.id)
  reply.problemCode = problem.code
  // As bytes: to text, Fastify would add a charset, which this media type does not have (RFC 8259, section 11).
  return reply.code(status).headers(headers).send(Buffer.from(body))
}

/** One example a code, for the OpenAPI document's `components.examples`. */
export function problemExamples(): Record<string, { readonly summary: string; readonly value: unknown }> {
  return Object.fromEntries(
    Object.entries<ProblemKind>(problemKinds).map(([code, { title }]) => [
      code,
      // The table's keys are its codes.
      { summary: title, value: problemExample(code as ProblemCode, { detail: `${title}.` }) },
    ]),
  )
}

export function problemExample(code: ProblemCode, fields: ProblemFields): Record<string, unknown> {
  return problemBody(new ProblemError(code, fields), 'urn:uuid:4a2f7a51-5c0e-4a3e-9d5b-0f6c1d2e3a4b')
}

/** JSON Schema of the body, named `Problem` in the OpenAPI document. */
export const problemSchema = {
  $id: 'Problem',
  type: 'object',
  description: 'RFC 9457 problem details. `outcome` says whether the call may have happened.',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'source', 'outcome', 'retry'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Resolves to the problem’s page.' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    instance: { type: 'string', format: 'uri' },
    code: { type: 'string', enum: Object.keys(problemKinds) },
    source: { type: 'string', enum: ['gateway', 'broker', 'runtime', 'method'] },
    outcome: { type: 'string', enum: ['not_sent', 'unknown', 'raised', 'rejected'] },
    retry: { type: 'string', enum: ['safe', 'same_key', 'never', 'after'] },
    invocationId: { type: 'string', format: 'uuid' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
    hint: { type: 'string' },
    error: {
      type: 'object',
      description: 'What the method raised.',
      properties: { name: { type: 'string' }, data: {} },
    },
    checks: { type: 'array', items: { type: 'object', additionalProperties: true } },
    'violated-policies': {
      type: 'array',
      items: { type: 'string' },
      description: 'The quotas that were used up, as `RateLimit-Policy` names them.',
    },
  },
} as const
