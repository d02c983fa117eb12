import { request } from 'node:http'
import type { MalformedRequest } from './malformed-requests.ts'

export interface RawAnswer {
  readonly status: number
  readonly type: string | undefined
  readonly text: string
}

/** Sends a request as it is; `fetch` would mend some of them. */
export function sendRaw(baseUrl: string, { verb, path, body, headers = {} }: MalformedRequest): Promise<RawAnswer> {
  const { hostname: host, port } = new URL(baseUrl)
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const sent = request({ host, port, method: verb, path, headers }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => {
      resolve({
        status: response.statusCode ?? 0,
        type: response.headers['content-type'],
        text: Buffer.concat(chunks).toString(),
      })
    })
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}
