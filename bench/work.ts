/** The one piece of work that every contender does: `POST /user/{key}/buy_item`, answered by `true`. */

export const KEYS = 1_000

export const userOf = (index: number): string => `user-${index % KEYS}`
export const itemOf = (index: number): string => `item-${index % KEYS}`
export const argsOf = (index: number) => ({ amount: 1, item: itemOf(index) })

export const EXPECTED_BODY = 'true'

/** How a contender wants it to be asked; by default as the gateway does. */
export interface Dress {
  readonly path?: (index: number) => string
  /** `undefined`: a body is not sent. */
  readonly body?: (index: number) => object | undefined
  readonly headers?: readonly string[]
  /** Requests that differ, at most one a key. */
  readonly count?: number
}

const gatewayDress = {
  path: (index: number) => `/user/${userOf(index)}/buy_item`,
  body: argsOf,
  headers: [],
  count: KEYS,
}

/** Requests as bytes, one a key, so that the load generator composes nothing while it measures. */
export function httpRequests(host: string, dress: Dress = {}): readonly Buffer[] {
  const { path, body, headers, count } = { ...gatewayDress, ...dress }
  return Array.from({ length: count }, (_, index) => {
    const content = body(index)
    const text = content === undefined ? '' : JSON.stringify(content)
    const type = content === undefined ? [] : ['Content-Type: application/json']
    const head = [
      `POST ${path(index)} HTTP/1.1`,
      `Host: ${host}`,
      ...type,
      `Content-Length: ${text.length}`,
      ...headers,
    ]
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`)
  })
}
