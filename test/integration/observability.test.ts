import { randomUUID } from 'node:crypto'
import { type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { Consumer } from '@platformatic/kafka'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'
import { lintPage } from '../unit/observability/lint-page.ts'

const skip = kafkaUnavailable()
const name = randomUUID().slice(0, 8)
const topics = { requests: `seen-${name}-requests`, replies: `seen-${name}-replies` }
const traceId = '0af7651916cd43dd8448eb211c80319c'
const callersSpan = 'b7ad6b7169203331'
const traceparent = `00-${traceId}-${callersSpan}-01`

describe.skipIf(skip !== undefined)(`over Kafka${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  const exporter = new InMemorySpanExporter()
  let brokers: readonly string[]
  let runtime: AddingRuntime
  let folder: TemporaryFolder
  let gateway: RunningGateway

  beforeAll(async () => {
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
    const kafka = await sharedKafka()
    brokers = kafka.brokers
    await kafka.createTopics({ name: topics.requests, partitions: 1 }, { name: topics.replies, partitions: 1 })
    runtime = await startAddingRuntime(brokers, topics)
    folder = createTemporaryFolder()
    gateway = await startGateway({
      GATEWAY_METADATA: folder.write('seen.metadata.json', addingMetadata),
      GATEWAY_RUNTIME: 'stateflow',
      KAFKA_BROKERS: brokers.join(','),
      STATEFLOW_SERIALIZER: 'json',
      STATEFLOW_REQUEST_TOPIC: topics.requests,
      STATEFLOW_REPLY_TOPIC: topics.replies,
    })
  }, 240_000)
  beforeEach(() => exporter.reset())
  afterAll(async () => {
    trace.disable()
    await gateway?.close()
    await runtime?.close()
    folder?.close()
  })

  function add(amount: number, headers: Readonly<Record<string, string>> = {}) {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
    return fetch(`${gateway.url}/account/shared/add`, { ...init, body: JSON.stringify({ amount }) })
  }

  function spanOf(kind: SpanKind): ReadableSpan | undefined {
    return exporter.getFinishedSpans().find((span) => span.kind === kind)
  }

  /** Once they have ended. */
  async function spansOfCall(): Promise<Record<'http' | 'send' | 'reply', ReadableSpan>> {
    const kinds = [SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER]
    await until('all spans have ended', () => kinds.every((kind) => spanOf(kind) !== undefined))
    const [http, send, reply] = kinds.map(spanOf)
    if (http === undefined || send === undefined || reply === undefined) throw new Error('a span is missing')
    return { http, send, reply }
  }

  it('a trace shows the request, the send and the reply, in the caller’s trace', async () => {
    const answer = await add(1, { traceparent, tracestate: 'vendor=opaque' })
    expect(answer.status).toBe(200)
    const { http, send, reply } = await spansOfCall()
    for (const span of [http, send, reply]) expect(span.spanContext().traceId).toBe(traceId)
    expect(http.name).toBe('POST /account/:key/add')
    expect(http.parentSpanContext).toMatchObject({ spanId: callersSpan, isRemote: true })
    expect(http.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/account/:key/add',
      'http.response.status_code': 200,
    })
    expect(send.name).toBe(`send ${topics.requests}`)
    expect(send.parentSpanContext?.spanId).toBe(http.spanContext().spanId)
    expect(send.spanContext().traceState?.serialize()).toBe('vendor=opaque')
    expect(send.attributes).toMatchObject({
      'messaging.system': 'kafka',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topics.requests,
      'gateway.entity': 'Account',
      'gateway.method': 'add',
      'messaging.message.conversation_id': http.attributes['gateway.invocation.id'],
    })
    expect(reply.name).toBe(`process ${topics.replies}`)
    expect(reply.links.map(({ context }) => context)).toEqual([expect.objectContaining(ids(send.spanContext()))])
    expect(reply.attributes).toMatchObject({ 'messaging.operation.type': 'process', 'gateway.reply.late': false })
    expect(JSON.stringify([http, send, reply].map(({ attributes }) => attributes))).not.toContain('shared')
  })

  it('the send’s trace goes into the record’s headers, and nothing else of the caller’s does', async () => {
    await add(2, { traceparent, tracestate: 'vendor=opaque', baggage: 'a=b', 'x-evil': 'yes' })
    const { send } = await spansOfCall()
    const { traceId: id, spanId } = send.spanContext()
    expect(await lastHeaders(brokers, topics.requests)).toEqual({
      traceparent: `00-${id}-${spanId}-01`,
      tracestate: 'vendor=opaque',
    })
  })

  it('a reply that comes late is in the trace of its call all the same', async () => {
    runtime.hold()
    const answer = await add(3, { traceparent, prefer: 'wait=0.2' })
    expect(answer.status).toBe(504)
    expect(spanOf(SpanKind.CONSUMER)).toBeUndefined()
    await runtime.release()
    const { http, send, reply } = await spansOfCall()
    expect(http.status.code).toBe(SpanStatusCode.ERROR)
    expect(http.attributes['error.type']).toBe('deadline_exceeded')
    expect(reply.spanContext().traceId).toBe(traceId)
    expect(reply.links.map(({ context }) => context)).toEqual([expect.objectContaining(ids(send.spanContext()))])
    expect(reply.attributes['gateway.reply.late']).toBe(true)
  })

  it('a trace that its caller does not record is passed on, and has no spans here', async () => {
    const answer = await add(4, { traceparent: traceparent.replace(/01$/, '00') })
    expect(answer.status).toBe(200)
    const headers = await lastHeaders(brokers, topics.requests)
    expect(headers.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
    await add(5, { traceparent })
    const { http } = await spansOfCall()
    expect(exporter.getFinishedSpans()).toHaveLength(3)
    expect(http.parentSpanContext?.traceFlags).toBe(1)
  })

  it('a request without a trace begins one, and a refused one is no error of the gateway', async () => {
    const answer = await fetch(`${gateway.url}/nothing`)
    expect(answer.status).toBe(404)
    await until('the span has ended', () => spanOf(SpanKind.SERVER) !== undefined)
    const span = spanOf(SpanKind.SERVER)
    expect(span?.parentSpanContext).toBeUndefined()
    expect(span?.status.code).toBe(SpanStatusCode.UNSET)
    expect(span?.attributes).toMatchObject({
      'http.response.status_code': 404,
      'gateway.problem.code': 'route_not_found',
    })
  })

  it('a method that is none of HTTP’s standards is one with all such, as the conventions want it', async () => {
    await fetch(`${gateway.url}/account/shared`, { method: 'PROPFIND' })
    await until('the span has ended', () => spanOf(SpanKind.SERVER) !== undefined)
    const span = spanOf(SpanKind.SERVER)
    expect(span?.name).toBe('HTTP')
    expect(span?.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PROPFIND',
    })
    const { series } = lintPage(await (await fetch(`${gateway.url}/-/metrics`)).text())
    const methods = new Set(series.map(({ labels }) => labels.http_request_method))
    expect([methods.has('_OTHER'), methods.has('PROPFIND')]).toEqual([true, false])
  })

  it('metrics count sends, replies and who waits', async () => {
    await add(4)
    const { problems, series } = lintPage(await (await fetch(`${gateway.url}/-/metrics`)).text())
    expect(problems).toEqual([])
    const value = (metric: string, labels: Readonly<Record<string, string>>) =>
      series.find(
        (one) => one.name === metric && Object.entries(labels).every(([label, wanted]) => one.labels[label] === wanted),
      )?.value ?? 0
    const sent = { messaging_system: 'kafka', messaging_destination_name: topics.requests, error_type: '' }
    const sends = value('messaging_client_sent_messages_total', sent)
    expect(sends).toBeGreaterThanOrEqual(1)
    expect(value('messaging_client_operation_duration_seconds_count', sent)).toBe(sends)
    expect(value('gateway_replies_total', { runtime: 'stateflow', result: 'answered' })).toBeGreaterThanOrEqual(1)
    expect(
      value('messaging_client_consumed_messages_total', { messaging_destination_name: topics.replies }),
    ).toBeGreaterThanOrEqual(1)
    expect(value('gateway_pending_calls', { runtime: 'stateflow' })).toBe(0)
    expect(value('gateway_calls_total', { entity: 'Account', method: 'add', outcome: 'returned' })).toBeGreaterThan(0)
  })
})

function ids({ traceId, spanId }: SpanContext): Pick<SpanContext, 'traceId' | 'spanId'> {
  return { traceId, spanId }
}

/** Headers of the topic's last record. */
async function lastHeaders(brokers: readonly string[], topic: string): Promise<Record<string, string>> {
  const consumer = new Consumer({ clientId: 'test-headers', groupId: randomUUID(), bootstrapBrokers: [...brokers] })
  try {
    const [end = 0n] = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? []
    const offsets = [{ topic, partition: 0, offset: end - 1n }]
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'manual',
      offsets,
      autocommit: false,
      maxWaitTime: 100,
    })
    for await (const { headers } of stream) {
      return Object.fromEntries([...headers].map(([key, value]) => [key.toString(), value.toString()]))
    }
    return {}
  } finally {
    await consumer.close(true)
  }
}
