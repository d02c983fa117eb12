import { PROBLEM_MEDIA_TYPE } from './problem.ts'
import { type ProblemCode, problemKinds } from './problem-codes.ts'

/** One response a status, described by all that can lead to it. */
export function problemResponses(codes: readonly ProblemCode[]): Record<string, unknown> {
  const byStatus = new Map<number, Set<ProblemCode>>()
  for (const code of codes) {
    const { status } = problemKinds[code]
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  }
  return Object.fromEntries([...byStatus].map(([status, found]) => [status, problemResponse(status, [...found])]))
}

function problemResponse(status: number, codes: readonly ProblemCode[]): Record<string, unknown> {
  const retryAfter = { type: 'string', description: 'Seconds to wait before the next attempt.' }
  return {
    description: codes.map((code) => `${problemKinds[code].title} (\`${code}\`).`).join(' '),
    ...(status === 503 ? { headers: { 'Retry-After': retryAfter } } : {}),
    ...(status === 429 ? { headers: { 'Retry-After': retryAfter, ...rateLimitHeaders } } : {}),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: { $ref: 'Problem#' },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  }
}

const rateLimitHeaders = {
  'RateLimit-Policy': { type: 'string', description: 'The quotas that hold for this call.' },
  RateLimit: {
    type: 'string',
    description: 'What is left of each (`r`), and in how many seconds all is given anew (`t`).',
  },
}
