import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fromFunction, kafkaProducerRecord, toFunction } from '../../src/runtime-adapters/statefun/protobuf.ts'
import { answerParent } from '../parent-channel.ts'

/** StateFun functions that answer every call by `true`, with as little work as the protocol leaves. */

const KAFKA_RECORD = 'type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord'
const HEADERS = { 'content-type': 'application/octet-stream' }

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => response.writeHead(200, HEADERS).end(answerTo(Buffer.concat(chunks))))
})
server.keepAliveTimeout = 60_000
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
// A TCP server's address.
answerParent({ port: () => (server.address() as AddressInfo).port })

function answerTo(body: Buffer): Buffer {
  const outgoingEgresses = toFunction.decode(body).invocation.invocations.map(({ argument }) => {
    const { correlation_id: key } = JSON.parse(Buffer.from(argument.value).toString())
    const valueBytes = Buffer.from(`{"correlation_id":"${key}","ok":true,"result":true}`)
    const value = kafkaProducerRecord.encode({ key, topic: 'shop-replies', valueBytes })
    return {
      egressNamespace: 'shop',
      egressType: 'replies',
      argument: { typename: KAFKA_RECORD, hasValue: true, value },
    }
  })
  const none = { stateMutations: [], outgoingMessages: [], delayedInvocations: [] }
  return fromFunction.encode({
    invocationResult: { ...none, outgoingEgresses },
    incompleteInvocationContext: null,
  })
}
