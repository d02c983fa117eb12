import type { DeclaredError } from '../entity-registry/descriptor.ts'
import { PROBLEM_MEDIA_TYPE, problemExample } from './problem.ts'
import { type ProblemCode, problemKinds } from './problem-codes.ts'

/** Of one status, in the form that Fastify's schemas have. */
interface ProblemResponse {
  readonly description: string
  readonly headers?: object
  readonly content: Readonly<Record<string, { readonly schema: object; readonly examples: object }>>
}

/** By status. */
export type ProblemResponses = Readonly<Record<string, ProblemResponse>>

/** One response a status, described by all that can lead to it. */
export function problemResponses(codes: readonly ProblemCode[]): ProblemResponses {
  const byStatus = new Map<number, Set<ProblemCode>>()
  for (const code of codes) {
    const { status } = problemKinds[code]
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  }
  return Object.fromEntries([...byStatus].map(([status, found]) => [status, problemResponse(status, [...found])]))
}

function problemResponse(status: number, codes: readonly ProblemCode[]): ProblemResponse {
  const retryAfter = { type: 'string', description: 'Seconds to wait before the next attempt.' }
  return {
    ...(status === 503 ? { headers: { 'Retry-After': retryAfter } } : {}),
    ...(status === 429 ? { headers: { 'Retry-After': retryAfter, ...rateLimitHeaders } } : {}),
    ...shown(
      codes.map((code) => `${problemKinds[code].title} (\`${code}\`).`).join(' '),
      Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
    ),
  }
}

function shown(description: string, examples: object): ProblemResponse {
  return { description, content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' }, examples } } }
}

/** What a method declares: its own errors, each with the status that it is answered with. */
export function declaredResponses(errors: ReadonlyMap<string, DeclaredError>): ProblemResponses {
  return [...errors].reduce<ProblemResponses>((before, [name, { status, description }]) => {
    const told = description === '' ? 'Declared by the method.' : description
    const value = problemExample('method_raised', { detail: told, status, error: { name } })
    return joined(before, { [status]: shown(`${name}: ${told}`, { [name]: { summary: name, value } }) })
  }, {})
}

/** Both; of a status that both have, one response says all. What a custom route says of a status in another form stays as it is. */
export function joined<A extends Readonly<Record<string, unknown>>>(
  first: A,
  second: ProblemResponses,
): A & ProblemResponses {
  const both = Object.entries(second).map(([status, response]) => {
    // Fastify leaves its type open.
    const other = first[status] as Partial<ProblemResponse> | undefined
    if (other === undefined) return [status, response]
    const problems = other.content?.[PROBLEM_MEDIA_TYPE]
    if (problems === undefined) return [status, other]
    const examples = { ...problems.examples, ...response.content[PROBLEM_MEDIA_TYPE]?.examples }
    return [
      status,
      { ...other, ...response, ...shown(`${other.description ?? ''} ${response.description}`.trim(), examples) },
    ]
  })
  return { ...first, ...Object.fromEntries(both) }
}

const rateLimitHeaders = {
  'RateLimit-Policy': { type: 'string', description: 'The quotas that hold for this call.' },
  RateLimit: {
    type: 'string',
    description: 'What is left of each (`r`), and in how many seconds all is given anew (`t`).',
  },
}
