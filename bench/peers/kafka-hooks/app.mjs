import process from 'node:process'
import { create } from '@platformatic/kafka-hooks'

const {
  BENCH_BROKERS: brokers = '',
  BENCH_REQUESTS: requestTopic = '',
  BENCH_REPLIES: responseTopic = '',
  BENCH_UNUSED: unused = '',
  BENCH_PORT: port = '0',
} = process.env

// The consumer's settings are those of its README; all else is at its default.
const server = await create(import.meta.dirname, {
  $schema: 'https://schemas.platformatic.dev/@platformatic/kafka-hooks/0.6.4.json',
  module: '@platformatic/kafka-hooks',
  server: { hostname: '127.0.0.1', port: Number(port), logger: { level: 'error' } },
  kafka: {
    brokers: brokers.split(','),
    topics: [{ topic: unused, url: 'http://127.0.0.1:9/', dlq: false }],
    requestResponse: [{ path: '/user/:key/buy_item', requestTopic, responseTopic, timeout: 10_000 }],
    consumer: {
      groupId: 'bench-kafka-hooks',
      mode: 'latest',
      maxWaitTime: 500,
      sessionTimeout: 10_000,
      rebalanceTimeout: 15_000,
      heartbeatInterval: 500,
    },
  },
})
await server.init()
await server.start({ listen: true })
