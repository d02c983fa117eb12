import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Batch,
  type Effects,
  type EgressMessage,
  fromFunction,
  kafkaProducerRecord,
  type StateSpec,
  type TypedValue,
  toFunction,
} from '../../../src/runtime-adapters/statefun/protobuf.ts'

/** What a scripted endpoint does with one request. */
export type Answer =
  | { readonly kind: 'effects'; readonly effects: Partial<Effects> }
  | { readonly kind: 'missing'; readonly specs: readonly StateSpec[] }
  /** Anything that HTTP can carry. */
  | { readonly kind: 'raw'; readonly write: (response: ServerResponse) => void }

export type Behaviour = (batch: Batch) => Answer | Promise<Answer>

export interface ScriptedEndpoint {
  readonly url: string
  /** Every batch that came, in order. */
  readonly batches: readonly Batch[]
  /** Requests under way now, and the most there ever were. */
  readonly load: { now: number; most: number }
  readonly bodies: readonly Buffer[]
  readonly headers: readonly NodeJS.Dict<string | string[]>[]
  behave(behaviour: Behaviour): void
  close(): Promise<void>
  /** After `close`, at the same place. */
  reopen(): Promise<void>
}

/** Functions whose behaviour a test writes down, behind a real HTTP endpoint. */
export async function startScriptedEndpoint(first: Behaviour = () => done()): Promise<ScriptedEndpoint> {
  const batches: Batch[] = []
  const bodies: Buffer[] = []
  const headers: NodeJS.Dict<string | string[]>[] = []
  const load = { now: 0, most: 0 }
  let behaviour = first
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const batch = toFunction.decode(body).invocation
    bodies.push(body)
    headers.push(request.headers)
    batches.push(batch)
    load.now++
    load.most = Math.max(load.most, load.now)
    const answer = await behaviour(batch)
    load.now--
    write(response, answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/statefun`,
    batches,
    bodies,
    headers,
    load,
    behave(next) {
      behaviour = next
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    reopen: () => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
  }
}

function write(response: ServerResponse, answer: Answer): void {
  if (answer.kind === 'raw') {
    answer.write(response)
    return
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  response.end(bytesOf(answer))
}

export function bytesOf(answer: Exclude<Answer, { kind: 'raw' }>): Buffer {
  if (answer.kind === 'missing') {
    return fromFunction.encode({
      invocationResult: null,
      incompleteInvocationContext: { missingValues: answer.specs },
    })
  }
  const none: Effects = { stateMutations: [], outgoingMessages: [], delayedInvocations: [], outgoingEgresses: [] }
  return fromFunction.encode({
    invocationResult: { ...none, ...answer.effects },
    incompleteInvocationContext: null,
  })
}

export function done(effects: Partial<Effects> = {}): Answer {
  return { kind: 'effects', effects }
}

export function fails(status = 500): Answer {
  return raw((response) => response.writeHead(status).end())
}

export function raw(send: (response: ServerResponse) => void): Answer {
  return { kind: 'raw', write: send }
}

export function missing(...specs: readonly StateSpec[]): Answer {
  return { kind: 'missing', specs }
}

export function spec(stateName: string, mode = 0, expireAfterMillis = 0): StateSpec {
  return { stateName, typeTypename: 'test/text', expirationSpec: mode === 0 ? null : { mode, expireAfterMillis } }
}

export function text(value: string): TypedValue {
  return { typename: 'test/text', hasValue: true, value: Buffer.from(value) }
}

export function textOf(value: TypedValue | null | undefined): string | undefined {
  return value?.hasValue ? Buffer.from(value.value).toString() : undefined
}

/** The texts of a batch's messages. */
export function texts({ invocations }: Batch): readonly string[] {
  return invocations.map(({ argument }) => textOf(argument) ?? '')
}

/** A state as the batch carries it; `undefined`: empty, `null`: not there. */
export function stateIn({ state }: Batch, name: string): string | undefined | null {
  const found = state.find(({ stateName }) => stateName === name)
  return found === undefined ? null : textOf(found.stateValue)
}

export function writes(stateName: string, value: string) {
  return { mutationType: 1, stateName, stateValue: text(value) }
}

export function to(id: string, value: string, type = 'f') {
  return { target: { namespace: 'test', type, id }, argument: text(value) }
}

/** A record to the topic `replies`. */
export function egress(key: string, value: string): EgressMessage {
  const record = kafkaProducerRecord.encode({ key, topic: 'replies', valueBytes: Buffer.from(value) })
  const typename = 'type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord'
  return { egressNamespace: 'test', egressType: 'replies', argument: { typename, hasValue: true, value: record } }
}
