import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type FetchedPartition,
  type FetchPort,
  type FetchRequest,
  UnreadableBatchError,
} from '../../../src/runtime-adapters/kafka/fetch-port.ts'
import { ReplyReader } from '../../../src/runtime-adapters/kafka/reply-reader.ts'

const REFRESH_MS = 60_000
const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }

describe('the places of the reply reader', () => {
  let reader: ReplyReader | undefined
  beforeEach(() => void vi.useFakeTimers())
  afterEach(async () => {
    reader?.close()
    // What is on its way comes back.
    await vi.advanceTimersByTimeAsync(100)
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    vi.clearAllMocks()
  })

  /** One partition, unless `more` says otherwise: a log that grows, in batches of one record. */
  function setup(more: Partial<FetchPort> = {}) {
    const read: bigint[] = []
    const written = { count: 0 }
    const port: FetchPort = {
      leaders: async () => [{ topic: 'r', topicId: 'id', partition: 0, leader: 1 }],
      offsets: async () => () => 0n,
      async fetch({ positions }) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        return positions.map(({ partition, next }) => fetched(partition, next, written.count))
      },
    }
    const all = { ...port, ...more }
    reader = new ReplyReader({ port: all, onRecord: ({ offset }) => read.push(offset), refreshMs: REFRESH_MS, log })
    return { reader, read, written, port }
  }

  it('are at first after all that was written before, committed or not', async () => {
    const { reader, read, written } = setup({ offsets: async (at) => () => (at === 'end' ? 2n : 0n) })
    written.count = 4
    await reader.start()
    await vi.advanceTimersByTimeAsync(100)
    expect(read).toEqual([2n, 3n])
  })

  it('are all known, or it does not start', async () => {
    const { reader } = setup({ offsets: async () => () => undefined })
    await expect(reader.start()).rejects.toThrow('no end offset of partition 0 of r')
  })

  it('wait for a leader where there is none, which is told', async () => {
    let leader: number | undefined
    const { reader, read, written } = setup({
      leaders: async () => [{ topic: 'r', topicId: 'id', partition: 0, leader }],
    })
    written.count = 1
    await reader.start()
    expect(reader.trouble()).toBe('Partition 0 of r has no leader.')
    leader = 1
    await vi.advanceTimersByTimeAsync(REFRESH_MS + 100)
    expect(read).toEqual([0n])
    expect(reader.trouble()).toBeUndefined()
  })

  it('follow a partition to its new leader at the next look, which is soon where it is in trouble', async () => {
    let leader = 1
    const asked: number[] = []
    const { reader, read, written, port } = setup({
      leaders: async () => [{ topic: 'r', topicId: 'id', partition: 0, leader }],
      fetch: async (request) => {
        asked.push(request.leader)
        if (request.leader === leader) return port.fetch(request)
        return [failed('NOT_LEADER_OR_FOLLOWER')]
      },
    })
    await reader.start()
    leader = 2
    written.count = 2
    await vi.advanceTimersByTimeAsync(1_000)
    expect(read).toEqual([0n, 1n])
    expect(asked.filter((each) => each === 1).length).toBeLessThan(5)
    expect(reader.trouble()).toBeUndefined()
  })

  it('stay where they are through one trouble, of which one line is logged', async () => {
    let away = true
    const { reader, read, written, port } = setup({
      fetch: async (request) => (away ? [failed('KAFKA_STORAGE_ERROR')] : port.fetch(request)),
    })
    written.count = 1
    await reader.start()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(reader.trouble()).toContain('KAFKA_STORAGE_ERROR')
    expect(log.warn).toHaveBeenCalledTimes(1)
    away = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect([read, reader.trouble()]).toEqual([[0n], undefined])
  })

  it('do not pass over what a lost connection has kept from being looked at', async () => {
    let looks = 0
    const { reader, read, written, port } = setup({
      async fetch(request: FetchRequest) {
        if (looks === 0 && !request.oneBatch) throw new UnreadableBatchError('garbled')
        if (request.oneBatch && looks++ === 0) throw new Error('connection lost')
        return port.fetch(request)
      },
    })
    written.count = 3
    await reader.start()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(read).toEqual([0n, 1n, 2n])
    expect(log.error).not.toHaveBeenCalled()
  })

  it('say from where to where nothing could be read, where not even that stands in it', async () => {
    const { reader, read, written, port } = setup({
      async fetch(request: FetchRequest) {
        if (request.positions.some(({ next }) => next < 5n)) throw new UnreadableBatchError('garbled')
        return port.fetch(request)
      },
    })
    written.count = 6
    await reader.start()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(read).toEqual([5n])
    expect(log.error.mock.calls).toEqual([[{ topic: 'r', partition: 0, from: 0n, to: 5n }, expect.any(String)]])
  })

  it('hand nothing over once it is closed, and nothing makes it read again', async () => {
    const { reader, read, written } = setup()
    await reader.start()
    written.count = 1
    reader.close()
    reader.read(() => true)
    await vi.advanceTimersByTimeAsync(100)
    expect([read, vi.getTimerCount()]).toEqual([[], 0])
    await vi.advanceTimersByTimeAsync(REFRESH_MS)
    expect(read).toEqual([])
  })

  it('are not moved by a note that comes after their partition is wanted again', async () => {
    const ends: ((end: bigint) => void)[] = []
    let isHeld = false
    const { reader, read, written } = setup({
      offsets: async () => {
        const end = isHeld ? await new Promise<bigint>((resolve) => ends.push(resolve)) : 0n
        return () => end
      },
    })
    await reader.start()
    reader.read(() => false)
    await vi.advanceTimersByTimeAsync(65_000)
    isHeld = true
    await vi.advanceTimersByTimeAsync(10_000)
    written.count = 3
    reader.read(() => true)
    await vi.advanceTimersByTimeAsync(100)
    for (const end of ends) end(3n)
    isHeld = false
    await vi.advanceTimersByTimeAsync(60_000)
    written.count = 6
    await vi.advanceTimersByTimeAsync(100)
    reader.read(() => false)
    await vi.advanceTimersByTimeAsync(15_000)
    reader.read(() => true)
    await vi.advanceTimersByTimeAsync(100)
    expect(read).toEqual([0n, 1n, 2n, 3n, 4n, 5n])
  })

  it('are read again from what is kept only where they were lost', async () => {
    let isLost = true
    const { reader, read, written, port } = setup({
      leaders: async () => [0, 1].map((partition) => ({ topic: 'r', topicId: 'id', partition, leader: 1 })),
      fetch: async (request) => {
        const all = await port.fetch(request)
        if (!isLost || read.length < 2) return all
        isLost = false
        return all.map((one) => (one.partition === 0 ? failed('OFFSET_OUT_OF_RANGE') : one))
      },
    })
    written.count = 2
    await reader.start()
    await vi.advanceTimersByTimeAsync(1_000)
    expect([isLost, read]).toEqual([false, [0n, 1n, 0n, 1n, 0n, 1n]])
  })

  it('are no trouble any more once it is closed', async () => {
    const asked = Promise.withResolvers<readonly FetchedPartition[]>()
    const { reader } = setup({ fetch: () => asked.promise })
    await reader.start()
    reader.close()
    asked.reject(new Error('connection lost'))
    await vi.advanceTimersByTimeAsync(0)
    expect([log.warn.mock.calls, vi.getTimerCount()]).toEqual([[], 0])
  })

  it('go no further back than where a partition was left a moment ago, though it had been left before', async () => {
    const { reader, read, written } = setup({ offsets: async () => () => BigInt(written.count) })
    await reader.start()
    for (const wanted of [false, true, false, true]) {
      reader.read(() => wanted)
      // Long enough for a place of its own the first time, not the second.
      const seconds = read.length === 0 ? 90 : 15
      for (let second = 0; second < seconds; second++) {
        written.count++
        await vi.advanceTimersByTimeAsync(1_000)
      }
    }
    expect(read).toEqual(read.toSorted((a, b) => Number(a - b)))
    expect(new Set(read).size).toBe(read.length)
  })

  it('are noted where a partition can be read to, not where an open transaction has written to', async () => {
    const { reader, read, written } = setup({
      offsets: async (at) => () => (at === 'readable-end' ? 3n : 9n),
    })
    await reader.start()
    reader.read(() => false)
    await vi.advanceTimersByTimeAsync(120_000)
    written.count = 5
    reader.read(() => true)
    await vi.advanceTimersByTimeAsync(100)
    expect(read).toEqual([3n, 4n])
  })
})

function failed(error: string): FetchedPartition {
  return { topic: 'r', partition: 0, error, batches: [], aborted: [] }
}

function fetched(partition: number, next: bigint, count: number): FetchedPartition {
  const batches = []
  for (let offset = next; offset < BigInt(count); offset++) {
    const records = [{ offsetDelta: 0, key: null, value: Buffer.from('reply') }]
    batches.push({ firstOffset: offset, lastOffsetDelta: 0, attributes: 0, producerId: -1n, records })
  }
  return { topic: 'r', partition, error: undefined, batches, aborted: [] }
}
