import { randomUUID } from 'node:crypto'
import { AclOperations, AclPermissionTypes, Admin, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { KafkaTransport } from '../../src/runtime-adapters/kafka/transport.ts'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaClients, testConnection } from '../helpers/kafka-clients.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { until } from '../helpers/until.ts'

const skip =
  kafkaUnavailable() ?? (process.env.KAFKA_BROKERS === undefined ? undefined : 'needs a broker with an authorizer')
const because = skip === undefined ? '' : ` [${skip}]`

type Right = 'READ' | 'WRITE' | 'DESCRIBE'

describe.skipIf(skip !== undefined)(`a broker that asks who may do what${because}`, () => {
  let kafka: Kafka
  let admin: Admin
  const opened: KafkaTransport[] = []

  beforeAll(async () => {
    const authorizer = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'
    kafka = await startKafka({
      secured: true,
      settings: { 'authorizer.class.name': authorizer, 'super.users': 'User:ANONYMOUS' },
    })
    admin = new Admin({ clientId: 'test-rights', bootstrapBrokers: [...kafka.brokers] })
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()))
  })
  afterAll(async () => {
    await admin?.close()
    await kafka?.close()
  })

  /** A topic with which the gateway's user may do so much. */
  async function newTopic(...rights: readonly Right[]): Promise<string> {
    const topic = `t-${randomUUID()}`
    await kafka.createTopics({ name: topic })
    await allow(ResourceTypes.TOPIC, topic, rights)
    return topic
  }

  async function allow(resourceType: 2 | 3, resourceName: string, rights: readonly Right[]): Promise<void> {
    if (rights.length === 0) return
    const rule = {
      ...{ resourceType, resourceName, principal: `User:${security().username}`, host: '*' },
      ...{ resourcePatternType: ResourcePatternTypes.PREFIXED, permissionType: AclPermissionTypes.ALLOW },
    }
    await admin.createAcls({ creations: rights.map((right) => ({ ...rule, operation: AclOperations[right] })) })
  }

  function security() {
    if (kafka.security === undefined) throw new Error('the broker was started without security')
    return kafka.security
  }

  async function start(client: string, requests: string, replies: string, clientId = client): Promise<KafkaTransport> {
    const { saslBroker, username, password } = security()
    const sasl = { mechanism: 'plain', username, password } as const
    const transport = kafkaClients[client]?.(testConnection([saslBroker], { sasl, clientId }))
    if (transport === undefined) throw new Error('no such client')
    opened.push(transport)
    await transport.start({ requestTopics: [requests], replyTopics: [replies], onRecord() {} })
    return transport
  }

  describe.each(Object.keys(kafkaClients))('with %s', (client) => {
    beforeAll(() => allow(ResourceTypes.GROUP, `${client}-`, ['READ']))

    it('starts and sends with the right to write requests and to read replies, and no other', async () => {
      const requests = await newTopic('WRITE')
      const transport = await start(client, requests, await newTopic('READ'))
      const sent = await transport.send({ topic: requests, key: Buffer.from('k'), value: Buffer.from('v') })
      expect(sent).toEqual({ kind: 'acknowledged' })
      await until('it is ready', async () => (await transport.health()).ok)
    })

    it('says of topics it may not see that they may be hidden', async () => {
      const [requests, replies] = [await newTopic(), await newTopic()]
      await expect(start(client, requests, replies)).rejects.toThrow(
        `Kafka has no topics ${requests}, ${replies}, or hides them from the gateway's user`,
      )
    })

    it('does not call itself ready where it may not read the replies', async () => {
      const replies = await newTopic('DESCRIBE')
      const started = await start(client, await newTopic('WRITE'), replies).catch((error: unknown) => error)
      if (started instanceof Error) {
        expect(started.message).toContain(`the gateway's user lacks READ on ${replies}`)
        return
      }
      await until('the reading has failed', async () => {
        // Not an error: the transport itself.
        const { ok, detail } = await (started as KafkaTransport).health()
        return !ok && detail.includes('Not authorized to access topics')
      })
    })
  })

  it('platformatic names each right that is missing, at the start and at once', async () => {
    const [requests, replies] = [await newTopic('DESCRIBE'), await newTopic('DESCRIBE')]
    await expect(start('platformatic', requests, replies)).rejects.toThrow(
      `refuses us: the gateway's user lacks WRITE on ${requests}, READ on ${replies}. An ACL must allow it.`,
    )
  }, 5_000)

  it('kafkajs, which can’t ask, names the refusal with the first call', async () => {
    const requests = await newTopic('DESCRIBE')
    const transport = await start('kafkajs', requests, await newTopic('READ'))
    const sent = await transport.send({ topic: requests, key: Buffer.from('k'), value: Buffer.from('v') })
    expect(sent).toMatchObject({ kind: 'not-sent', detail: 'The broker answered TOPIC_AUTHORIZATION_FAILED.' })
  })

  it('kafkajs names the group that it may not have', async () => {
    const starting = start('kafkajs', await newTopic('WRITE'), await newTopic('READ'), 'stranger')
    await expect(starting).rejects.toThrow(/no ACL allows the gateway's user READ on groups that begin with stranger-/)
  }, 15_000)
})
