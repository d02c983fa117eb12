import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Log } from '../../../src/runtime-adapters/contract.ts'
import { type FetchPort, type Gather, UnreadableBatchError } from '../../../src/runtime-adapters/kafka/fetch-port.ts'
import { ReplyReader } from '../../../src/runtime-adapters/kafka/reply-reader.ts'
import type { ReceivedRecord } from '../../../src/runtime-adapters/kafka/transport.ts'
import { until } from '../../helpers/until.ts'

/** A log of batches in memory; `bad` ones can't be read by any client. */
interface Batch {
  readonly first: bigint
  readonly count: number
  readonly bad?: boolean
}

function batches(...sizes: readonly (number | 'bad')[]): Batch[] {
  let first = 0n
  return sizes.map((size) => {
    const batch = { first, count: size === 'bad' ? 5 : size, bad: size === 'bad' }
    first += BigInt(batch.count)
    return batch
  })
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

describe('the reply reader', () => {
  let reader: ReplyReader | undefined
  afterEach(() => reader?.close())

  function setup(
    logs: readonly (readonly Batch[])[],
    more: (port: FetchPort) => Partial<FetchPort> = () => ({}),
    onRecord = (_record: ReceivedRecord): void => undefined,
    log: Log = silent,
  ) {
    const read: string[] = []
    const port: FetchPort = {
      leaders: async () => logs.map((_, partition) => ({ topic: 'r', topicId: 'id', partition, leader: 1 })),
      offsets: async () => () => 0n,
      async fetch({ positions, oneBatch }) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        return positions.map(({ topic, partition, next }) => {
          const rest = (logs[partition] ?? []).filter(({ first, count }) => first + BigInt(count) > next)
          const sent = oneBatch ? rest.slice(0, 1) : rest
          if (sent.some(({ bad }) => bad)) throw new UnreadableBatchError('garbled')
          return { topic, partition, error: undefined, aborted: [], batches: sent.map(fetchedBatch) }
        })
      },
    }
    reader = new ReplyReader({
      port: { ...port, ...more(port) },
      onRecord(record) {
        read.push(`${record.partition}:${record.offset}`)
        onRecord(record)
      },
      refreshMs: 20,
      log,
    })
    return { reader, read }
  }

  it('passes over a batch that can’t be read, and loses no other record', async () => {
    const { reader, read } = setup([batches(2, 'bad', 3, 1), batches(2)])
    await reader.start()
    await until('all that can be read', () => read.length >= 8)
    expect(read.toSorted()).toEqual(['0:0', '0:1', '0:10', '0:7', '0:8', '0:9', '1:0', '1:1'])
    expect(reader.trouble()).toBeUndefined()
  })

  it('passes over batches of which only the end can be told, and reads what stands between them without looking again', async () => {
    const passed: object[] = []
    let looks = 0
    const log = { ...silent, error: (fields: object) => void passed.push(fields) }
    const marked = (port: FetchPort): Partial<FetchPort> => ({
      fetch: async (request) => {
        looks += request.oneBatch ? 1 : 0
        return (await port.fetch(request)).map((each) => ({
          ...each,
          batches: each.batches.map((batch) =>
            batch.records.length === 4 ? { ...batch, records: [], unreadable: 'garbled' } : batch,
          ),
        }))
      },
    })
    const { reader, read } = setup([batches(4, 1, 4, 2), batches(1)], marked, undefined, log)
    await reader.start()
    await until('all that can be read', () => read.length >= 4)
    expect(read.toSorted()).toEqual(['0:10', '0:4', '0:9', '1:0'])
    const place = { topic: 'r', partition: 0, reason: 'garbled' }
    expect(passed).toEqual([
      { ...place, from: 0n, to: 4n },
      { ...place, from: 5n, to: 9n },
    ])
    expect(looks).toBe(0)
    expect(reader.trouble()).toBeUndefined()
  })

  it('does not wait for replies while it looks for a batch that can’t be read: the others wait for that', async () => {
    const waits: (Gather | undefined)[] = []
    const { reader, read } = setup([batches('bad', 1), batches(1), []], (port) => ({
      fetch: async (request) => {
        if (request.oneBatch) waits.push(request.gather)
        return port.fetch(request)
      },
    }))
    await reader.start()
    await until('all that can be read', () => read.length >= 2)
    expect(waits.length).toBeGreaterThan(3)
    expect(new Set(waits)).toEqual(new Set([{ minBytes: 1, maxWaitMs: 1 }]))
  })

  it('forgets the partitions that a topic made anew no longer has, and reads the others from their beginning', async () => {
    let topicId = 'old'
    const { reader, read } = setup([batches(2), batches(1)], (port) => ({
      offsets: async () => () => 5n,
      leaders: async () =>
        (await port.leaders()).slice(0, topicId === 'old' ? 2 : 1).map((one) => ({ ...one, topicId })),
      fetch: async (request) => {
        if (topicId === 'old' || request.positions.length === 1) return port.fetch(request)
        throw new Error('UNKNOWN_TOPIC_OR_PARTITION')
      },
    }))
    await reader.start()
    expect(reader.partitionsOf('r')).toBe(2)
    topicId = 'new'
    await until('the new one', () => read.length >= 2)
    expect(read).toEqual(['0:0', '0:1'])
    expect(reader.partitionsOf('r')).toBe(1)
    await until('no trouble', () => reader.trouble() === undefined)
  })

  it('reads a partition that is wanted again in the moment in which its broker’s loop ends', async () => {
    for (let steps = 0; steps < 12; steps++) {
      const ended = Promise.withResolvers<void>()
      let fetches = 0
      const reader = new ReplyReader({
        port: {
          leaders: async () => [{ topic: 'r', topicId: 'id', partition: 0, leader: 1 }],
          offsets: async () => () => 0n,
          async fetch() {
            if (fetches++ === 0) await ended.promise
            else await new Promise((resolve) => setTimeout(resolve, 1))
            return []
          },
        },
        onRecord: () => undefined,
        refreshMs: 60_000,
        log: silent,
      })
      await reader.start()
      reader.read(() => false)
      ended.resolve()
      for (let step = 0; step < steps; step++) await undefined
      reader.read(() => true)
      await until(`a fetch after ${steps} steps`, () => fetches >= 2)
      reader.close()
    }
  })

  it('goes on from the first kept record when its place is out of range', async () => {
    let refused = false
    const { reader, read } = setup([batches(4)], (port) => ({
      offsets: async (at) => () => (at === 'start' ? 2n : 0n),
      fetch: async (request) => {
        if (refused) return port.fetch(request)
        refused = true
        return [{ topic: 'r', partition: 0, error: 'OFFSET_OUT_OF_RANGE', aborted: [], batches: [] }]
      },
    }))
    await reader.start()
    await until('what is kept', () => read.length >= 2)
    expect(read).toEqual(['0:2', '0:3'])
  })

  it('reads on from where it stood after the connection was lost, and names the trouble meanwhile', async () => {
    let failures = 0
    let away = true
    const { reader, read } = setup([batches(3)], (port) => ({
      leaders: async () => {
        if (failures > 0 && away) throw new Error('nobody is there')
        return port.leaders()
      },
      fetch: async (request) => {
        if (failures++ === 0) throw new Error('connection lost')
        return port.fetch(request)
      },
    }))
    await reader.start()
    await until('the trouble', () => reader.trouble() !== undefined)
    expect(reader.trouble()).toContain('connection lost')
    away = false
    await until('all', () => read.length >= 3)
    expect(read).toEqual(['0:0', '0:1', '0:2'])
    expect(reader.trouble()).toBeUndefined()
  })

  it('reads a partition that was added since from its beginning', async () => {
    let partitions = 1
    const { reader, read } = setup([batches(1), batches(2)], (port) => ({
      leaders: async () => (await port.leaders()).slice(0, partitions),
    }))
    await reader.start()
    partitions = 2
    await until('the added one', () => read.length >= 3)
    expect(read.toSorted()).toEqual(['0:0', '1:0', '1:1'])
  })

  it('takes a partition up again where it ended a minute before, not where it was left', async () => {
    vi.useFakeTimers()
    try {
      const log: Batch[] = []
      const { reader, read } = setup([log], () => ({ offsets: async () => () => BigInt(log.length) }))
      await reader.start()
      reader.read(() => false)
      expect(reader.trouble()).toBeUndefined()
      // A record each second, for two minutes.
      for (let second = 0; second < 120; second++) {
        log.push({ first: BigInt(second), count: 1 })
        await vi.advanceTimersByTimeAsync(1_000)
      }
      expect(read).toEqual([])
      reader.read(() => true)
      await vi.advanceTimersByTimeAsync(100)
      const [first = ''] = read
      expect(Number(first.split(':')[1])).toBeGreaterThanOrEqual(50)
      expect(Number(first.split(':')[1])).toBeLessThanOrEqual(60)
      expect(read).toHaveLength(120 - Number(first.split(':')[1]))
    } finally {
      reader?.close()
      vi.useRealTimers()
    }
  })

  it('lets the broker gather while many replies come, for a moment only', async () => {
    const asked: (Gather | undefined)[] = []
    const { reader, read } = setup([[...batches(7), { first: 7n, count: 9 }]], (port) => ({
      fetch: async (request) => {
        asked.push(request.gather)
        const [all, ...none] = await port.fetch(request)
        // One batch a fetch.
        return all === undefined ? none : [{ ...all, batches: all.batches.slice(0, 1) }]
      },
    }))
    await reader.start()
    await until('what comes after', () => asked.length >= 4)
    expect(read).toHaveLength(16)
    // After 7, after 9 of 5 bytes each, after none.
    expect(asked.slice(0, 4)).toEqual([undefined, undefined, { minBytes: 90, maxWaitMs: 2 }, undefined])
  })

  it('does not read a record again that its taker has failed on, and reads those after it', async () => {
    const seen: bigint[] = []
    const { reader } = setup(
      [batches(3)],
      () => ({}),
      ({ offset }) => {
        seen.push(offset)
        if (offset === 1n) throw new Error('the taker is broken')
      },
    )
    await reader.start()
    await until('the last one', () => seen.length >= 3)
    expect(seen).toEqual([0n, 1n, 2n])
  })

  it('leaves a partition in trouble aside and reads the others', async () => {
    const { reader, read } = setup([batches(1), batches(2)], (port) => ({
      fetch: async (request) =>
        (await port.fetch(request)).map((each) =>
          each.partition === 0 ? { ...each, error: 'KAFKA_STORAGE_ERROR', batches: [] } : each,
        ),
    }))
    await reader.start()
    await until('the good one', () => read.length >= 2)
    expect(read).toEqual(['1:0', '1:1'])
  })
})

function fetchedBatch({ first, count }: Batch) {
  const records = Array.from({ length: count }, (_, offsetDelta) => ({
    offsetDelta,
    key: null,
    value: Buffer.from('reply'),
  }))
  return { firstOffset: first, lastOffsetDelta: count - 1, attributes: 0, producerId: -1n, records }
}
