import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import process from 'node:process'
import { toFunction } from '../../src/runtime-adapters/statefun/protobuf.ts'
import { createTally, type Load } from '../load.ts'
import { answerParent } from '../parent-channel.ts'
import { argsOf, KEYS, userOf } from '../work.ts'

/** The floor of functions' endpoints: the same requests, made beforehand, over `node:http` with connections that are kept. */

const port = Number(process.env.FUNCTIONS_PORT)
const agent = new Agent({ keepAlive: true })
const requests = Array.from({ length: KEYS }, (_, index) =>
  toFunction.encode({
    invocation: {
      target: { namespace: 'shop', type: 'user', id: userOf(index) },
      state: [],
      invocations: [{ caller: null, argument: argumentOf(index) }],
    },
  }),
)

let load: Load | undefined
answerParent({
  open(inFlight) {
    load = openEndpointLoad(Number(inFlight))
  },
  reset: () => load?.reset(),
  take: () => load?.take(),
  close: () => load?.close(),
})

function argumentOf(index: number) {
  const call = { correlation_id: randomUUID(), method: 'buy_item', args: argsOf(index) }
  return { typename: 'shop/request', hasValue: true, value: Buffer.from(JSON.stringify(call)) }
}

function post(body: Buffer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length }
  const outgoing = request({ agent, host: '127.0.0.1', port, method: 'POST', headers }, (response) => {
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    response.on('end', () => resolve(response.statusCode === 200 ? bytes : 0))
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

function openEndpointLoad(inFlight: number): Load {
  const tally = createTally()
  let next = 0
  let stopping = false

  async function lane(): Promise<void> {
    while (!stopping) {
      const body = requests[next++ % KEYS]
      if (body === undefined) return
      const startedAt = performance.now()
      if ((await post(body)) > 0) tally.answered(startedAt)
      else tally.failed('the endpoint did not answer')
    }
  }

  const lanes = Array.from({ length: inFlight }, lane)
  return {
    reset: async () => tally.reset(),
    take: async () => tally.take(),
    async close() {
      stopping = true
      await Promise.all(lanes)
    },
  }
}
