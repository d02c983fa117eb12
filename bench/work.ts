/** The one piece of work that every contender does: `POST /user/{key}/buy_item`, answered by `true`. */

export const KEYS = 1_000

export const userOf = (index: number): string => `user-${index % KEYS}`
export const itemOf = (index: number): string => `item-${index % KEYS}`
export const argsOf = (index: number) => ({ amount: 1, item: itemOf(index) })

export const EXPECTED_BODY = 'true'

/** Requests as bytes, one a key, so that the load generator composes nothing while it measures. */
export function httpRequests(host: string): readonly Buffer[] {
  return Array.from({ length: KEYS }, (_, index) => {
    const body = JSON.stringify(argsOf(index))
    const head = [
      `POST /user/${userOf(index)}/buy_item HTTP/1.1`,
      `Host: ${host}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ]
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
  })
}
