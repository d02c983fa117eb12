import { request } from 'node:http'

/** What came of one HTTP request. */
export type Exchange =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly location: string | undefined
      readonly replayed: boolean
      readonly body: unknown
    }
  /** Nobody listened: the request was surely not taken. */
  | { readonly kind: 'refused' }
  /** The connection broke before the answer was there. */
  | { readonly kind: 'broken'; readonly reason: string }
  /** No answer within the limit. */
  | { readonly kind: 'hanging' }

export interface ExchangeOptions {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly limitMs: number
}

/** A connection of its own for each request: none is shared that another request's replica has closed. */
export function exchange({ method, url, headers = {}, body, limitMs }: ExchangeOptions): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>()
  const asked = request(url, { method, headers: { 'content-type': 'application/json', ...headers }, agent: false })
  const timer = setTimeout(() => {
    resolve({ kind: 'hanging' })
    asked.destroy()
  }, limitMs)
  const fail = (error: NodeJS.ErrnoException) =>
    resolve(
      error.code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'broken', reason: error.code ?? error.message },
    )
  asked.on('error', fail)
  asked.on('response', (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', fail)
    response.on('end', () =>
      resolve({
        kind: 'answer',
        status: response.statusCode ?? 0,
        location: response.headers.location,
        replayed: response.headers['idempotency-replayed'] === 'true',
        body: parse(Buffer.concat(chunks).toString()),
      }),
    )
  })
  asked.end(body)
  return promise.finally(() => clearTimeout(timer))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A member of a problem document. */
export function problemMember(body: unknown, name: 'outcome' | 'retry' | 'code'): string | undefined {
  if (typeof body !== 'object' || body === null || !(name in body)) return undefined
  // `in` has just looked.
  const value = (body as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'string' ? value : undefined
}
