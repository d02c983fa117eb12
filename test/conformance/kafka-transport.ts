import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { partitionOfKey } from '../../src/runtime-adapters/kafka/partitioners.ts'
import type {
  KafkaConnection,
  KafkaRecord,
  KafkaTransport,
  ReceivedRecord,
} from '../../src/runtime-adapters/kafka/transport.ts'
import { TransportStartError } from '../../src/runtime-adapters/kafka/transport.ts'
import { until } from '../helpers/until.ts'

/** A broker and a transport's maker, for the suite to talk to. */
export interface TransportHarness {
  create(overrides?: Partial<Pick<KafkaConnection, 'createTopics' | 'maxRecordBytes'>>): KafkaTransport
  /** One that finds nobody there, and words that must stand in its error. */
  createUnreachable(): { readonly transport: KafkaTransport; readonly named: string }
  createTopic(name: string, partitions: number): Promise<void>
  /** As a runtime writes; without `value`, a tombstone. */
  write(record: { topic: string; key?: Buffer; value?: Buffer; partition?: number }): Promise<void>
  log(topic: string): Promise<readonly ReceivedRecord[]>
  close(): Promise<void>
}

/** The laws of `KafkaTransport`, for every implementation. `skip`: why it can't run here. */
export function describeKafkaTransport(name: string, open: () => Promise<TransportHarness>, skip?: string): void {
  describe.skipIf(skip !== undefined)(`the ${name} transport${skip === undefined ? '' : ` (${skip})`}`, () => {
    let harness: TransportHarness
    const opened: KafkaTransport[] = []

    beforeAll(async () => {
      harness = await open()
    })
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((transport) => transport.close()))
    })
    afterAll(() => harness?.close())

    async function topics(partitions = 3) {
      const request = `request-${randomUUID()}`
      const reply = `reply-${randomUUID()}`
      await harness.createTopic(request, partitions)
      await harness.createTopic(reply, partitions)
      return { request, reply }
    }

    function create(...args: Parameters<TransportHarness['create']>) {
      const transport = harness.create(...args)
      opened.push(transport)
      return transport
    }

    async function started({ request, reply }: { request: string; reply: string }, transport = create()) {
      const received: ReceivedRecord[] = []
      await transport.start({
        requestTopics: [request],
        replyTopics: [reply],
        onRecord: (record) => received.push(record),
      })
      return { transport, received, values: () => received.map(({ value }) => value.toString()) }
    }

    describe('start', () => {
      it('rejects when a topic is missing, naming it and the setting that would make it', async () => {
        const { request } = await topics()
        const failed = started({ request, reply: 'nowhere' })
        await expect(failed).rejects.toThrow(TransportStartError)
        await expect(failed).rejects.toThrow(/nowhere.*KAFKA_CREATE_TOPIC_PARTITIONS/)
      })

      it('makes missing topics where that is allowed', async () => {
        const names = { request: `made-${randomUUID()}`, reply: `made-${randomUUID()}` }
        const transport = create({ createTopics: { partitions: 2, replicas: 1 } })
        await started(names, transport)
        const sent = await Promise.all(
          [0, 1].map((partition) => transport.send(record(names.request, 'k', 'v', partition))),
        )
        expect(sent).toEqual([{ kind: 'acknowledged' }, { kind: 'acknowledged' }])
        expect((await transport.send(record(names.request, 'k', 'v', 2))).kind).toBe('not-sent')
      })

      it('rejects within ten seconds when nobody is there, naming the brokers', async () => {
        const { transport, named } = harness.createUnreachable()
        opened.push(transport)
        const failed = started({ request: 'a', reply: 'b' }, transport)
        await expect(failed).rejects.toThrow(TransportStartError)
        await expect(failed).rejects.toThrow(named)
      }, 12_000)

      it('fixes the read position: what is written at once after it is delivered, on every partition', async () => {
        const names = await topics()
        for (let round = 0; round < 4; round++) {
          const { transport, values } = await started({ request: names.reply, reply: names.reply })
          const wanted = [0, 1, 2].map((partition) => `${round}-${partition}`)
          await Promise.all(
            wanted.map((value, partition) => transport.send(record(names.reply, 'k', value, partition))),
          )
          await until('all are delivered', () => wanted.every((value) => values().includes(value)))
          expect(values().toSorted()).toEqual(wanted)
          await transport.close()
        }
      }, 40_000)
    })

    describe('reading', () => {
      it('gives every reader every record, since no two share a group', async () => {
        const names = await topics()
        const readers = await Promise.all([started(names), started(names)])
        for (let n = 0; n < 9; n++) {
          await harness.write({ topic: names.reply, key: Buffer.from(`k${n}`), value: Buffer.from(`v${n}`) })
        }
        for (const { values } of readers) await until('all nine', () => values().length >= 9)
        const wanted = Array.from({ length: 9 }, (_, n) => `v${n}`)
        for (const { values } of readers) expect(values().toSorted()).toEqual(wanted)
      })

      it('delivers nothing that was written before the start', async () => {
        const names = await topics(1)
        await harness.write({ topic: names.reply, key: Buffer.from('k'), value: Buffer.from('old') })
        const { values } = await started(names)
        await harness.write({ topic: names.reply, key: Buffer.from('k'), value: Buffer.from('new') })
        await until('the new one', () => values().includes('new'))
        expect(values()).toEqual(['new'])
      })

      it('gives empty buffers for a missing key and a tombstone, and the place of each record', async () => {
        const names = await topics(2)
        const { received } = await started(names)
        await harness.write({ topic: names.reply, key: Buffer.from('k'), partition: 1 })
        await harness.write({ topic: names.reply, value: Buffer.from('v'), partition: 1 })
        await until('both', () => received.length >= 2)
        const empty = Buffer.alloc(0)
        expect(
          received.map((each) => ({ ...each, key: Buffer.from(each.key), value: Buffer.from(each.value) })),
        ).toEqual([
          { topic: names.reply, partition: 1, offset: 0n, key: Buffer.from('k'), value: empty },
          { topic: names.reply, partition: 1, offset: 1n, key: empty, value: Buffer.from('v') },
        ])
      })
    })

    describe('a selection of partitions', () => {
      async function writeToEach(topic: string, text: string) {
        await Promise.all(
          [0, 1, 2].map((partition) => {
            return harness.write({ topic, key: Buffer.from('k'), value: Buffer.from(`${text}${partition}`), partition })
          }),
        )
      }

      it('is what is read, and what was left out comes when it is wanted again', async () => {
        const names = await topics()
        const { transport, values } = await started(names)
        expect(transport.selection?.partitionsOf(names.reply)).toBe(3)
        for (const round of ['a', 'b']) {
          transport.selection?.read((_topic, partition) => partition === 1)
          await writeToEach(names.reply, round)
          await until('the wanted one', () => values().includes(`${round}1`))
          expect(values()).not.toContain(`${round}0`)
          expect(values()).not.toContain(`${round}2`)
          transport.selection?.read(() => true)
          await until('all three', () => [0, 1, 2].every((partition) => values().includes(`${round}${partition}`)))
        }
        expect(values().toSorted()).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2'])
      })

      it('may be changed while records come, and none is lost', async () => {
        const names = await topics()
        const { transport, values } = await started(names)
        for (let round = 0; round < 12; round++) {
          transport.selection?.read((_topic, partition) => partition === round % 3)
          await writeToEach(names.reply, `${round} `)
        }
        transport.selection?.read(() => true)
        const wanted = Array.from({ length: 36 }, (_, n) => `${Math.floor(n / 3)} ${n % 3}`)
        await until('all', () => wanted.every((value) => values().includes(value)))
        expect(values().toSorted()).toEqual(wanted.toSorted())
      }, 40_000)
    })

    describe('send', () => {
      it('puts what it acknowledges into the log once, in the order of each key', async () => {
        const names = await topics()
        const { transport } = await started(names)
        const results = []
        for (let turn = 0; turn < 10; turn++) {
          for (let n = 0; n < 60; n++) {
            const sent = transport.send(record(names.request, `k${n % 7}`, `${turn * 60 + n}`))
            results.push(sent)
          }
          await new Promise((resolve) => setImmediate(resolve))
        }
        expect(new Set((await Promise.all(results)).map(({ kind }) => kind))).toEqual(new Set(['acknowledged']))
        const log = await harness.log(names.request)
        expect(log).toHaveLength(600)
        for (let key = 0; key < 7; key++) {
          const mine = log.filter((each) => each.key.toString() === `k${key}`).map((each) => Number(each.value))
          expect(mine).toEqual(mine.toSorted((a, b) => a - b))
        }
      })

      it('puts a key where the Java client puts it, and a named partition before that', async () => {
        const names = await topics(5)
        const { transport } = await started(names)
        const keys = Array.from({ length: 40 }, (_, n) => `user-${n}`)
        await Promise.all(keys.map((key) => transport.send(record(names.request, key, 'v'))))
        await transport.send(record(names.request, 'elsewhere', 'v', 4))
        for (const { key, partition } of await harness.log(names.request)) {
          const wanted = key.toString() === 'elsewhere' ? 4 : partitionOfKey(key, 5)
          expect(partition).toBe(wanted)
        }
      })

      it('never produces an empty key or value, nor to a topic or partition that is not there', async () => {
        const names = await topics(1)
        const { transport } = await started(names)
        const results = await Promise.all([
          transport.send(record(names.request, '', 'v')),
          transport.send(record(names.request, 'k', '')),
          transport.send(record(names.request, 'k', 'v', 7)),
          transport.send(record('nowhere', 'k', 'v')),
        ])
        expect(results.map(({ kind }) => kind)).toEqual(Array(4).fill('not-sent'))
        for (const result of results) expect('detail' in result && result.detail.length > 10).toBe(true)
        expect(await harness.log(names.request)).toEqual([])
      })

      it('refuses what is too large, and sends its neighbours', async () => {
        const names = await topics(1)
        const transport = create({ maxRecordBytes: 2_000 })
        await started(names, transport)
        const results = await Promise.all([
          transport.send(record(names.request, 'k', 'before')),
          transport.send(record(names.request, 'k', 'x'.repeat(2_001))),
          transport.send(record(names.request, 'k', 'after')),
        ])
        expect(results[1]).toMatchObject({ kind: 'not-sent', cause: 'too-large' })
        expect((await harness.log(names.request)).map(({ value }) => value.toString())).toEqual(['before', 'after'])
      })

      it('carries headers and bytes that are no text', async () => {
        const names = await topics(1)
        const { transport, received } = await started({ request: names.reply, reply: names.reply })
        const value = Buffer.from([0x80, 0x05, 0xff, 0x00, 0x2e])
        await transport.send({ topic: names.reply, key: Buffer.from([0xff]), value, headers: { traceparent: '00-é' } })
        await until('it is read', () => received.length > 0)
        expect(received[0]?.value.equals(value)).toBe(true)
        expect(received[0]?.key.equals(Buffer.from([0xff]))).toBe(true)
      })
    })

    describe('health and close', () => {
      it('is healthy while started, and says what is wrong before and after', async () => {
        const transport = create()
        expect((await transport.health()).ok).toBe(false)
        await started(await topics(), transport)
        expect(await transport.health()).toMatchObject({ ok: true })
        await transport.close()
        expect((await transport.health()).ok).toBe(false)
      })

      it('closes twice, settles what is under way, and sends nothing after', async () => {
        const names = await topics()
        const { transport } = await started(names)
        const under = Array.from({ length: 50 }, (_, n) => transport.send(record(names.request, `k${n}`, `${n}`)))
        await Promise.all([transport.close(), transport.close()])
        await transport.close()
        const after = await transport.send(record(names.request, 'k', 'after'))
        expect(after.kind).toBe('not-sent')
        const results = await Promise.all(under)
        const log = (await harness.log(names.request)).map(({ value }) => value.toString())
        for (const [n, { kind }] of results.entries()) {
          const times = log.filter((value) => value === `${n}`).length
          if (kind === 'acknowledged') expect(times).toBe(1)
          if (kind === 'not-sent') expect(times).toBe(0)
        }
        expect(log).not.toContain('after')
      })
    })
  })
}

function record(topic: string, key: string, value: string, partition?: number): KafkaRecord {
  const bytes = { topic, key: Buffer.from(key), value: Buffer.from(value) }
  return partition === undefined ? bytes : { ...bytes, partition }
}
