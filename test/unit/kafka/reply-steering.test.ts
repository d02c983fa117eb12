import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ReplicaShare } from '../../../src/runtime-adapters/contract.ts'
import { partitioners, type ReplyPartitioner } from '../../../src/runtime-adapters/kafka/partitioners.ts'
import { ReplySteering } from '../../../src/runtime-adapters/kafka/reply-steering.ts'
import type { IsWanted } from '../../../src/runtime-adapters/kafka/transport.ts'

const empty = Buffer.alloc(0)
const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }

interface Setup {
  readonly partitions?: number
  readonly share?: ReplicaShare
  readonly holders?: () => readonly ReplicaShare[] | undefined
}

describe('the steering of replies', () => {
  let steering: ReplySteering | undefined
  let partitions = 6
  let isWanted: IsWanted = () => true

  beforeEach(() => {
    vi.useFakeTimers()
    isWanted = () => true
  })
  afterEach(() => {
    steering?.close()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    vi.clearAllMocks()
  })

  function start({ partitions: count = 6, share = { index: 1, count: 3 }, holders = () => undefined }: Setup = {}) {
    partitions = count
    const created = new ReplySteering({
      selection: {
        partitionsOf: () => partitions,
        read(wanted) {
          isWanted = wanted
        },
      },
      topics: ['replies'],
      share,
      partitioner: 'murmur2',
      holders,
      log,
    })
    steering = created
    created.start()
    return created
  }

  function reply(to: ReplySteering, { by = 'murmur2' as ReplyPartitioner, times = 1 } = {}): void {
    for (let count = 0; count < times; count++) {
      const id = randomUUID()
      const partition = partitioners[by](Buffer.from(id), partitions)
      to.see(id, { topic: 'replies', partition, offset: 0n, key: empty, value: empty })
    }
  }

  const read = () => Array.from({ length: partitions }, (_, at) => at).filter((at) => isWanted('replies', at))

  it('chooses ids whose replies come to partitions of its own', () => {
    const steering = start()
    const homes = Array.from({ length: 50 }, () => partitioners.murmur2(Buffer.from(steering.newId()), 6))
    expect(new Set(homes)).toEqual(new Set([1, 4]))
    expect(steering.suits(steering.newId())).toBe(true)
  })

  it('reads all until the runtime has shown where it places replies, and its own then', () => {
    const steering = start()
    reply(steering, { times: 19 })
    vi.advanceTimersByTime(1_000)
    expect(read()).toEqual([0, 1, 2, 3, 4, 5])
    reply(steering)
    vi.advanceTimersByTime(1_000)
    expect(read()).toEqual([1, 4])
    expect(steering.health()).toMatchObject({ ok: true, detail: 'Those of partitions 1 4 are read.' })
  })

  it('reads all again as soon as a reply is elsewhere, counts it, and says which partitioner it may be', () => {
    const steering = start()
    reply(steering, { times: 20 })
    vi.advanceTimersByTime(1_000)
    reply(steering, { by: 'crc32', times: 10 })
    expect(read()).toHaveLength(6)
    expect(steering.counters.misplaced).toBeGreaterThan(0)
    expect(steering.health()).toMatchObject({ ok: false, essential: false })
    expect(log.error.mock.calls.map(([, message]) => message)).toContainEqual(expect.stringContaining('Is it crc32?'))
  })

  it('never reads less while a runtime uses another partitioner', () => {
    const steering = start({ partitions: 2, share: { index: 0, count: 2 } })
    for (let second = 0; second < 100; second++) {
      reply(steering, { by: 'crc32', times: 50 })
      vi.advanceTimersByTime(1_000)
      expect(read()).toHaveLength(2)
    }
  })

  it('asks for twice the proof after a stray record, and is content with it', () => {
    const steering = start()
    steering.see(randomUUID(), { topic: 'replies', partition: 99, offset: 0n, key: empty, value: empty })
    reply(steering, { times: 39 })
    vi.advanceTimersByTime(1_000)
    expect(read()).toHaveLength(6)
    reply(steering)
    vi.advanceTimersByTime(1_000)
    expect(read()).toEqual([1, 4])
  })

  it('reads all for good once partitions were added: calls under way were steered by the count before', () => {
    const steering = start()
    reply(steering, { times: 20 })
    vi.advanceTimersByTime(1_000)
    partitions = 9
    vi.advanceTimersByTime(1_000)
    reply(steering, { times: 1_000 })
    vi.advanceTimersByTime(1_000)
    expect(read()).toHaveLength(9)
    expect(steering.health()).toMatchObject({ ok: false, detail: expect.stringContaining('9 partitions instead of 6') })
  })

  it('reads the shares that nobody living holds, where others’ replies are taken care of', () => {
    let holders: readonly ReplicaShare[] = [{ index: 0, count: 3 }]
    const steering = start({ holders: () => holders })
    reply(steering, { times: 20 })
    vi.advanceTimersByTime(1_000)
    expect(read()).toEqual([1, 2, 4, 5])
    holders = [
      { index: 0, count: 3 },
      { index: 2, count: 3 },
    ]
    vi.advanceTimersByTime(1_000)
    expect(read()).toEqual([1, 4])
    holders = []
    vi.advanceTimersByTime(1_000)
    expect(read()).toHaveLength(6)
  })

  it('looks everywhere when the runtime is silent, and not while replies come', () => {
    const steering = start()
    reply(steering, { times: 20 })
    vi.advanceTimersByTime(1_000)
    reply(steering)
    steering.doubt()
    expect(read()).toEqual([1, 4])
    vi.advanceTimersByTime(1_000)
    steering.doubt()
    expect(read()).toHaveLength(6)
  })

  it('does not start where there are more replicas than partitions', () => {
    expect(() => start({ partitions: 2 })).toThrow('replies has 2 partitions, so 3 replicas can’t have one each.')
  })
})
