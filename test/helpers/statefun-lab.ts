import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { StateFun } from 'apache-flink-statefun'
import { toFunction } from '../../src/runtime-adapters/statefun/protobuf.ts'
import { bindSide } from './statefun-lab-functions.ts'
import type { Stumble } from './statefun-program.ts'

/** The functions that programs run on, and an endpoint that fails as programs tell it to. */
export interface Lab {
  readonly url: string
  /** Requests that were failed on purpose. */
  failures(): number
  close(): Promise<void>
}

export async function startLab(replyTopic: string): Promise<Lab> {
  const statefun = new StateFun()
  for (const side of ['left', 'right'] as const) bindSide(statefun, side, replyTopic)
  const stumbles = new Map<string, number>()
  let failures = 0
  const server = createServer((request, response) => {
    respond(statefun, stumbles, { request, response }).then(
      (failed) => {
        failures += failed ? 1 : 0
      },
      () => response.destroy(),
    )
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    failures: () => failures,
    async close() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** @returns whether it was failed */
async function respond(statefun: StateFun, stumbles: Map<string, number>, { request, response }: Exchange) {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const stumble = nextStumble(body, stumbles)
  if (stumble?.how === 'error-before') {
    response.writeHead(500).end()
    return true
  }
  const captured = await answerOf(statefun, body)
  switch (stumble?.how) {
    case 'error-after':
      response.writeHead(503, { 'content-type': 'application/octet-stream' }).end(captured)
      return true
    case 'other-type':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Service is starting</p>')
      return true
    case 'cut-off':
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': captured.length + 9 })
      response.write(captured, () => response.destroy())
      return true
    case undefined:
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(captured)
      return false
  }
}

/** The SDK reads any bytes and writes to anything that can take its answer. */
async function answerOf(statefun: StateFun, body: Buffer): Promise<Buffer> {
  let answer: { readonly status: number; readonly bytes: Buffer } | undefined
  let status = 0
  await statefun.handle([body], {
    writeHead: (given: number) => {
      status = given
    },
    end: (bytes: Uint8Array = new Uint8Array()) => {
      answer = { status, bytes: Buffer.from(bytes) }
    },
  })
  if (answer?.status !== 200) throw new Error('a function of the laboratory failed by itself')
  return answer.bytes
}

/** What the first message of a batch that still has to fail says. */
function nextStumble(body: Buffer, stumbles: Map<string, number>): Stumble | undefined {
  for (const { argument } of toFunction.decode(body).invocation.invocations) {
    const { stumble, args } = JSON.parse(Buffer.from(argument.value).toString('utf8'))
    const found: Stumble | undefined = stumble ?? args?.stumble
    if (found === undefined) continue
    const done = stumbles.get(found.name) ?? 0
    if (done >= found.times) continue
    stumbles.set(found.name, done + 1)
    return found
  }
  return undefined
}
