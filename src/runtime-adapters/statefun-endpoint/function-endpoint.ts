import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import type { Failure } from './failure.ts'

/** StateFun's own limit for a response; ours for what it unpacks to as well. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024
const MEDIA_TYPE = 'application/octet-stream'

const HEADERS = {
  'content-type': MEDIA_TYPE,
  accept: MEDIA_TYPE,
  'accept-encoding': 'gzip, deflate',
  'user-agent': 'statefun',
}

const gunzipped = promisify(gunzip)
const inflated = promisify(inflate)

export type Exchange = { readonly kind: 'answered'; readonly body: Buffer } | Failure

/** Where functions are, over HTTP/1.1 with connections that are used again. Follows no redirects. */
export interface FunctionEndpoint {
  readonly url: URL
  /** One request. Never rejects. */
  post(body: Buffer, timeoutMs: number): Promise<Exchange>
  /** Ends requests under way, and takes no others. */
  close(): void
}

export interface FunctionEndpointOptions {
  readonly url: URL
  readonly connectTimeoutMs: number
  readonly maxConnections: number
}

export function createFunctionEndpoint(options: FunctionEndpointOptions): FunctionEndpoint {
  const { url, connectTimeoutMs, maxConnections } = options
  const isSecure = url.protocol === 'https:'
  const Agent = isSecure ? HttpsAgent : HttpAgent
  const agent = new Agent({ keepAlive: true, maxSockets: maxConnections })
  const request = isSecure ? requestHttps : requestHttp
  const place = placeOf(url)
  const connected = isSecure ? 'secureConnect' : 'connect'
  const underWay = new Set<ClientRequest>()
  let isClosed = false

  return {
    url,
    post(body, timeoutMs) {
      if (isClosed) return Promise.resolve({ kind: 'unreached', detail: 'The gateway stops.' })
      const outgoing = request({
        ...place,
        agent,
        method: 'POST',
        headers: { ...HEADERS, 'content-length': body.length },
      })
      underWay.add(outgoing)
      outgoing.once('close', () => underWay.delete(outgoing))
      return settle({ outgoing, body, timeoutMs, connectTimeoutMs, connected })
    },
    close() {
      isClosed = true
      for (const outgoing of underWay) outgoing.destroy(new Error('The gateway stops.'))
      agent.destroy()
    },
  }
}

/** As `node:http` wants it: an IPv6 address without its brackets. */
function placeOf({ protocol, hostname, port, pathname, search }: URL) {
  return { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, path: `${pathname}${search}` }
}

interface Sending {
  readonly outgoing: ClientRequest
  readonly body: Buffer
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  /** The event after which the request's bytes leave. */
  readonly connected: 'connect' | 'secureConnect'
}

function settle({ outgoing, body, timeoutMs, connectTimeoutMs, connected }: Sending): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>()
  let isConnected = false
  let connecting: NodeJS.Timeout | undefined
  const finish = (exchange: Exchange) => {
    clearTimeout(timer)
    clearTimeout(connecting)
    resolve(exchange)
  }
  const fail = (detail: string) => {
    finish({ kind: isConnected ? 'lost' : 'unreached', detail })
    outgoing.destroy()
  }
  const timer = setTimeout(() => fail(`No answer came within ${timeoutMs} ms.`), timeoutMs)
  outgoing.on('socket', (socket) => {
    isConnected = !socket.connecting
    if (isConnected) return
    connecting = setTimeout(() => fail(`It took no connection within ${connectTimeoutMs} ms.`), connectTimeoutMs)
    socket.once(connected, () => {
      isConnected = true
      clearTimeout(connecting)
    })
  })
  outgoing.on('error', (error) => fail(error.message))
  outgoing.on('response', (response) => void readResponse(response).then(finish))
  outgoing.end(body)
  return promise
}

/** Never rejects. */
async function readResponse(response: IncomingMessage): Promise<Exchange> {
  const { statusCode = 0, headers } = response
  if (statusCode < 200 || statusCode > 299) {
    response.resume()
    return { kind: 'answered-error', detail: `HTTP ${statusCode}` }
  }
  const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  if (mediaType !== MEDIA_TYPE) {
    response.resume()
    return { kind: 'unusable-answer', detail: `The answer’s content-type is "${mediaType}", not "${MEDIA_TYPE}".` }
  }
  const body = await readBody(response)
  return Buffer.isBuffer(body) ? unpack(body, headers['content-encoding'] ?? 'identity') : body
}

function readBody(response: IncomingMessage): Promise<Buffer | Failure> {
  const { promise, resolve } = Promise.withResolvers<Buffer | Failure>()
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_RESPONSE_BYTES) {
      resolve(TOO_LARGE)
      response.destroy()
    } else chunks.push(chunk)
  })
  response.on('end', () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)))
  response.on('error', (error) => resolve({ kind: 'lost', detail: error.message }))
  response.on('close', () => resolve({ kind: 'lost', detail: 'The connection ended in the middle of the answer.' }))
  return promise
}

const TOO_LARGE: Failure = {
  kind: 'unusable-answer',
  detail: `The answer has more than ${MAX_RESPONSE_BYTES / 1_048_576} MiB.`,
}

async function unpack(body: Buffer, encoding: string): Promise<Exchange> {
  if (encoding === 'identity' || body.length === 0) return { kind: 'answered', body }
  const unpacker = { gzip: gunzipped, deflate: inflated }[encoding.toLowerCase()]
  if (unpacker === undefined) return { kind: 'unusable-answer', detail: `The answer’s encoding is "${encoding}".` }
  try {
    return { kind: 'answered', body: await unpacker(body, { maxOutputLength: MAX_RESPONSE_BYTES }) }
  } catch (error) {
    // node:zlib's code for more than `maxOutputLength`.
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ERR_BUFFER_TOO_LARGE') return TOO_LARGE
    return { kind: 'unusable-answer', detail: `The answer is no ${encoding}.` }
  }
}
