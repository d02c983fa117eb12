import { once } from 'node:events'
import { createServer } from 'node:http'
import type { TestProject } from 'vitest/node'
import { type Kafka, startKafka } from './kafka-broker.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers with the shared broker; the first question starts it, so runs without Kafka tests don't wait. */
    readonly kafkaUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let kafka: Promise<Kafka> | undefined
  const server = createServer((_request, response) => {
    kafka ??= startKafka()
    kafka.then(
      ({ brokers }) => response.end(JSON.stringify({ brokers })),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  project.provide('kafkaUrl', `http://127.0.0.1:${address.port}`)
  return async () => {
    server.close()
    server.closeAllConnections()
    await kafka?.then(
      (running) => running.close(),
      () => undefined,
    )
  }
}
