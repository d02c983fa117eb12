import { randomUUID } from 'node:crypto'
import { Admin, Producer } from '@platformatic/kafka'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { KafkaConnection, KafkaSasl, KafkaTransport } from '../../src/runtime-adapters/kafka/transport.ts'
import { TransportStartError } from '../../src/runtime-adapters/kafka/transport.ts'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaClients, testConnection } from '../helpers/kafka-clients.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { readLog } from '../helpers/kafka-log.ts'
import { until } from '../helpers/until.ts'

const skip =
  kafkaUnavailable() ?? (process.env.KAFKA_BROKERS === undefined ? undefined : 'needs listeners of its own making')
const because = skip === undefined ? '' : ` (${skip})`

describe.skipIf(skip !== undefined)(`a broker with settings of its own${because}`, () => {
  let kafka: Kafka
  const opened: KafkaTransport[] = []

  beforeAll(async () => {
    kafka = await startKafka({ secured: true })
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()))
  })
  afterAll(() => kafka?.close())

  async function newTopic(settings: Readonly<Record<string, string>> = {}, partitions = 1) {
    const topic = `t-${randomUUID()}`
    await kafka.createTopics({ name: topic, partitions, settings })
    return topic
  }

  function security() {
    if (kafka.security === undefined) throw new Error('the broker was started without security')
    return kafka.security
  }

  describe.each(Object.entries(kafkaClients))('with %s', (_name, createTransport) => {
    async function start(topic: string, overrides: Partial<KafkaConnection> = {}) {
      const transport = createTransport(testConnection(kafka.brokers, overrides))
      opened.push(transport)
      const values: string[] = []
      const onRecord = ({ value }: { value: Buffer }) => void values.push(value.toString())
      await transport.start({ requestTopics: [topic], replyTopics: [topic], onRecord })
      return { transport, values }
    }

    async function expectRoundTrip(overrides: Partial<KafkaConnection>) {
      const topic = await newTopic()
      const { transport, values } = await start(topic, overrides)
      const sent = await transport.send({ topic, key: Buffer.from('k'), value: Buffer.from('secured') })
      expect(sent).toEqual({ kind: 'acknowledged' })
      await until('it is read', () => values.length > 0)
      expect(values).toEqual(['secured'])
    }

    const credentials = () => ({ username: security().username, password: security().password })
    const sasl: Readonly<Record<string, () => KafkaSasl>> = {
      plain: () => ({ mechanism: 'plain', ...credentials() }),
      'scram-sha-256': () => ({ mechanism: 'scram-sha-256', ...credentials() }),
      'scram-sha-512': () => ({ mechanism: 'scram-sha-512', ...credentials() }),
      oauthbearer: () => ({ mechanism: 'oauthbearer', token: async () => unsignedToken('alice') }),
    }

    it.each(Object.keys(sasl))('says who it is by %s', async (mechanism) => {
      const given = sasl[mechanism]
      if (given === undefined) throw new Error('no such mechanism')
      await expectRoundTrip({ brokers: [security().saslBroker], sasl: given() })
    })

    it('gives up at once on a refused password, and keeps it out of the message', async () => {
      const wrong = { ...credentials(), password: 'not-this-one' }
      const failed = start(await newTopic(), {
        brokers: [security().saslBroker],
        sasl: { mechanism: 'scram-sha-256', ...wrong },
      })
      const error: unknown = await failed.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(TransportStartError)
      expect(String(error)).toContain('refuses us')
      expect(String(error)).not.toContain('not-this-one')
    }, 5_000)

    it('speaks TLS to a broker whose authority it was given', async () => {
      await expectRoundTrip({
        brokers: [security().tlsBroker],
        tls: { ca: security().ca, rejectUnauthorized: true },
      })
    })

    it('does not start over TLS that nobody it knows has signed', async () => {
      const failed = start(await newTopic(), { brokers: [security().tlsBroker], tls: { rejectUnauthorized: true } })
      await expect(failed).rejects.toThrow(/can't be reached.*self-signed/)
    }, 15_000)

    it('finds the one record that the topic does not take, and loses none of its neighbours', async () => {
      const topic = await newTopic({ 'max.message.bytes': '3000' })
      const { transport } = await start(topic)
      const values = Array.from({ length: 40 }, (_, n) => (n === 17 ? 'x'.repeat(5_000) : `${n}`.padEnd(500)))
      const results = await Promise.all(
        values.map((value) => transport.send({ topic, key: Buffer.from('k'), value: Buffer.from(value) })),
      )
      const refused = results.flatMap(({ kind }, n) => (kind === 'acknowledged' ? [] : [n]))
      expect(refused).toEqual([17])
      expect(results[17]).toMatchObject({ kind: 'not-sent', cause: 'too-large' })
      const wanted = values.filter((_, n) => n !== 17)
      expect((await readLog(kafka.brokers, topic)).map(({ value }) => value.toString())).toEqual(wanted)
    })

    it.each([
      ['passes over records of aborted transactions, and goes on after their markers', 'committed', 'ace'],
      ['reads records of open and aborted transactions too where it is told so', 'uncommitted', 'abcde'],
    ] as const)('%s', async (_law, isolation, wanted) => {
      const topic = await newTopic()
      const { values } = await start(topic, { isolation })
      const producer = new Producer({
        clientId: 'transactional',
        bootstrapBrokers: [...kafka.brokers],
        idempotent: true,
        transactionalId: randomUUID(),
      })
      try {
        for (const [value, commit] of [
          ['a', true],
          ['b', false],
          ['c', true],
          ['d', false],
          ['e', true],
        ] as const) {
          const transaction = await producer.beginTransaction()
          await transaction.send({ messages: [{ topic, key: Buffer.from('k'), value: Buffer.from(value) }] })
          if (isolation === 'uncommitted') await until('the open one', () => values.includes(value))
          await (commit ? transaction.commit() : transaction.abort())
        }
        await until('the last one', () => values.includes('e'))
        expect(values.join('')).toBe(wanted)
      } finally {
        await producer.close()
      }
    })

    it('reads what brokers compressed, and compresses by gzip', async () => {
      const topic = await newTopic({ 'compression.type': 'gzip' })
      const { transport, values } = await start(topic, { compression: 'gzip' })
      for (const value of ['one', 'two']) {
        await transport.send({ topic, key: Buffer.from('k'), value: Buffer.from(value) })
      }
      await until('both', () => values.length >= 2)
      expect(values).toEqual(['one', 'two'])
    })
  })

  it.each(['snappy', 'lz4', 'zstd'] as const)('refuses %s with kafkajs before anything is sent', (compression) => {
    const { kafkajs } = kafkaClients
    expect(() => kafkajs?.(testConnection(kafka.brokers, { compression }))).toThrow(TransportStartError)
  })

  it.each(['snappy', 'lz4', 'zstd'] as const)('compresses by %s with platformatic', async (compression) => {
    const topic = await newTopic()
    const transport = kafkaClients.platformatic?.(testConnection(kafka.brokers, { compression }))
    if (transport === undefined) throw new Error('no such client')
    opened.push(transport)
    const values: string[] = []
    const onRecord = ({ value }: { value: Buffer }) => void values.push(value.toString())
    await transport.start({ requestTopics: [topic], replyTopics: [topic], onRecord })
    await transport.send({ topic, key: Buffer.from('k'), value: Buffer.from('v'.repeat(1_000)) })
    await until('it is read', () => values.length > 0)
    expect(values).toEqual(['v'.repeat(1_000)])
  })

  it('reads a topic that was deleted and made anew from its beginning', async () => {
    const topic = await newTopic({}, 2)
    const transport = kafkaClients.platformatic?.(testConnection(kafka.brokers))
    if (transport === undefined) throw new Error('no such client')
    opened.push(transport)
    const values: string[] = []
    const onRecord = ({ value }: { value: Buffer }) => void values.push(value.toString())
    await transport.start({ requestTopics: [topic], replyTopics: [topic], onRecord })
    const send = (value: string, partition: number) =>
      transport.send({ topic, key: Buffer.from('k'), value: Buffer.from(value), partition })
    await send('before', 0)
    await until('it is read', () => values.includes('before'))
    const admin = new Admin({ clientId: 'test-remake', bootstrapBrokers: [...kafka.brokers] })
    try {
      await admin.deleteTopics({ topics: [topic] })
      await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
      await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 })
    } finally {
      await admin.close()
    }
    await until('the transport has found it', async () => (await transport.health()).ok)
    await until('sends work', async () => (await send('after', 0)).kind === 'acknowledged')
    await until('the new one is read', () => values.includes('after'))
    expect(values[0]).toBe('before')
  }, 30_000)
})

/** What Kafka's unsecured OAUTHBEARER takes: a JSON Web Token without a signature (RFC 7519, section 6). */
function unsignedToken(subject: string): string {
  const part = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url')
  const nowS = Math.floor(Date.now() / 1_000)
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: nowS, exp: nowS + 3_600 })}.`
}
