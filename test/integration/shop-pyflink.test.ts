import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endOffsets } from '../helpers/end-offsets.ts'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { malformedRequests } from '../helpers/malformed-requests.ts'
import { pyflinkUnavailable, startPyflink } from '../helpers/pyflink-runtime.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import type { RuntimeProcess } from '../helpers/runtime-process.ts'
import { sendRaw } from '../helpers/send-raw.ts'
import { callerOf, describeShopTranscript } from '../helpers/shop-transcript.ts'
import { unique } from '../helpers/unique.ts'

const reason = kafkaUnavailable() ?? pyflinkUnavailable()

describe.skipIf(reason !== undefined)(`on real PyFlink${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let kafka: Kafka
  let runtime: RuntimeProcess
  let gateway: RunningGateway
  beforeAll(async () => {
    kafka = await startKafka()
    runtime = await startPyflink({ brokers: kafka.brokers.join(',') })
    gateway = await startGateway({
      GATEWAY_RUNTIME: 'stateflow',
      GATEWAY_METADATA: 'test/golden/stateflow/demo.metadata.json',
      KAFKA_BROKERS: kafka.brokers.join(','),
      GATEWAY_DEADLINE_MS: '60000',
    })
  }, 600_000)
  afterAll(async () => {
    await gateway?.close()
    await runtime?.close()
    await kafka?.close()
  })

  describeShopTranscript('PyFlink', () => gateway.url)

  it('stays alive under malformed requests, of which none becomes a record', async () => {
    const before = await endOffsets(kafka.brokers, ['client_request'])
    for (const malformed of malformedRequests) {
      const { status } = await sendRaw(gateway.url, malformed)
      expect.soft(status, malformed.kind).toBeGreaterThanOrEqual(400)
    }
    expect(await endOffsets(kafka.brokers, ['client_request'])).toEqual(before)
    const call = callerOf(gateway.url)
    const username = unique('still-there')
    expect((await call('POST', '/user', { username })).status).toBe(201)
    expect((await call('POST', `/user/${username}/get_balance`)).body).toBe(1)
    expect(runtime.alive()).toBe(true)
  })
})
