import { once } from 'node:events'
import { connect } from 'node:net'
import { EXPECTED_BODY } from './work.ts'

/** One connection with one call under way on it at a time. */
export interface HttpConnection {
  send(request: Buffer): void
  /** What is under way is dropped. */
  close(): void
  readonly closed: Promise<void>
}

export interface ConnectionOptions {
  readonly port: number
  /** @param fault what came in place of the right answer */
  readonly onAnswer: (fault: string | undefined) => void
}

const CONNECT_TIMEOUT_MS = 5_000

/**
 * HTTP/1.1 with keep-alive over a plain socket. It reads just enough of an answer to know that it is the right one, so that it
 * takes less of the machine than what it measures.
 */
export async function openConnection({ port, onAnswer }: ConnectionOptions): Promise<HttpConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
  let received: Buffer | undefined
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  socket.on('data', (chunk: Buffer) => {
    const bytes = received === undefined ? chunk : Buffer.concat([received, chunk])
    const verdict = judge(bytes)
    received = verdict === 'incomplete' ? bytes : undefined
    if (verdict === 'right') onAnswer(undefined)
    else if (verdict === 'wrong') onAnswer(bytes.toString('latin1').slice(0, 600))
  })
  socket.on('error', () => undefined)
  socket.on('close', () => resolve())
  return { send: (request) => void socket.write(request), close: () => void socket.destroy(), closed }
}

const RIGHT_END = `\r\n\r\n${EXPECTED_BODY}`
const STATUS_START = 'HTTP/1.1 '.length
const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = '\r\n0\r\n\r\n'

/** With one call under way on a connection, bytes that end as the right answer does are the whole of it. */
export function judge(bytes: Buffer): 'right' | 'wrong' | 'incomplete' {
  const status = bytes.toString('latin1', STATUS_START, STATUS_START + 3)
  if (status === '200' && endsWith(bytes, RIGHT_END)) return 'right'
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return 'incomplete'
  const head = bytes.toString('latin1', 0, headEnd).toLowerCase()
  if (head.includes('\r\ntransfer-encoding: chunked')) return judgeChunked(bytes, status)
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? '0'
  return bytes.length < headEnd + HEAD_END.length + Number(length) ? 'incomplete' : 'wrong'
}

function judgeChunked(bytes: Buffer, status: string): 'right' | 'wrong' | 'incomplete' {
  if (!endsWith(bytes, LAST_CHUNK)) return 'incomplete'
  return status === '200' && endsWith(bytes, `\r\n${EXPECTED_BODY}${LAST_CHUNK}`) ? 'right' : 'wrong'
}

function endsWith(bytes: Buffer, end: string): boolean {
  return bytes.toString('latin1', Math.max(0, bytes.length - end.length)) === end
}
