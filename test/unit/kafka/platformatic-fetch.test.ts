import { type Consumer, NetworkError, ResponseError, UnsupportedCompressionError } from '@platformatic/kafka'
import { describe, expect, it, vi } from 'vitest'
import { UnreadableBatchError } from '../../../src/runtime-adapters/kafka/fetch-port.ts'
import { createFetchPort } from '../../../src/runtime-adapters/kafka/platformatic-fetch.ts'

const metadata = {
  topics: new Map([['replies', { id: 'its id', partitions: [{ leader: 1 }, { leader: 7 }] }]]),
  brokers: new Map([[1, {}]]),
}
const position = { topic: 'replies', partition: 1, next: 5n }
const request = { leader: 1, positions: [position], oneBatch: false }

/** A consumer whose fetches answer so. */
function setup(
  answer: () => object = () => ({ errorCode: 0, responses: [] }),
  isolation: 'committed' | 'uncommitted' = 'committed',
) {
  const fetch = vi.fn(async (_options: object) => answer())
  const listOffsets = vi.fn(async (_options: object) => new Map([['replies', [3n, 4n]]]))
  // All that is asked of it.
  const consumer = { connections: {}, metadata: async () => metadata, fetch, listOffsets } as unknown as Consumer
  const subscription = { requestTopics: [], replyTopics: ['replies'], onRecord: () => undefined }
  return { port: createFetchPort(consumer, subscription, isolation), fetch, listOffsets }
}

function rejecting(error: Error) {
  return () => {
    throw error
  }
}

const partition = (partitionIndex: number, errorCode = 0) => ({ partitionIndex, errorCode, records: null })
const told = (errorCode: number, ...partitions: readonly object[]) => {
  const response = { errorCode, responses: [{ topicId: 'its id', partitions }] }
  return new ResponseError(1, 17, { '/any': [errorCode === 0 ? 6 : errorCode, null] }, response)
}

describe('a port for fetches', () => {
  it('tells who leads, and of a broker that is not there that nobody does', async () => {
    const leaders = await setup().port.leaders()
    expect(leaders.map(({ partition, topicId, leader }) => [partition, topicId, leader])).toEqual([
      [0, 'its id', 1],
      [1, 'its id', undefined],
    ])
  })

  it.each([
    ['end', 'committed', { timestamp: -1n, isolationLevel: 0 }],
    ['start', 'committed', { timestamp: -2n, isolationLevel: 0 }],
    ['readable-end', 'committed', { timestamp: -1n, isolationLevel: 1 }],
    ['readable-end', 'uncommitted', { timestamp: -1n, isolationLevel: 0 }],
  ] as const)('asks for the %s of what is %s', async (at, isolation, asked) => {
    const { port, listOffsets } = setup(undefined, isolation)
    const offset = await port.offsets(at)
    expect(listOffsets.mock.calls).toMatchObject([[asked]])
    expect([offset('replies', 1), offset('replies', 2), offset('others', 0)]).toEqual([4n, undefined, undefined])
  })

  it('asks for what is committed, by the topic’s id, and for one batch where only one is to come', async () => {
    const { port, fetch } = setup()
    await port.leaders()
    await port.fetch({ ...request, gather: { minBytes: 9, maxWaitMs: 2 } })
    await port.fetch({ ...request, oneBatch: true })
    const place = { partition: 1, fetchOffset: 5n }
    expect(fetch.mock.calls).toMatchObject([
      [
        {
          node: 1,
          isolationLevel: 1,
          minBytes: 9,
          maxWaitTime: 2,
          topics: [{ topicId: 'its id', partitions: [place] }],
        },
      ],
      [{ maxBytes: 1, topics: [{ partitions: [{ ...place, partitionMaxBytes: 1 }] }] }],
    ])
    expect(fetch.mock.calls[1]?.[0]).not.toHaveProperty('minBytes')
  })

  it('gives out what came beside the error of one partition', async () => {
    const { port } = setup(rejecting(told(0, partition(0), partition(1, 6))))
    await port.leaders()
    expect(await port.fetch(request)).toMatchObject([
      { topic: 'replies', partition: 0, error: undefined },
      { topic: 'replies', partition: 1, error: 'NOT_LEADER_OR_FOLLOWER' },
    ])
  })

  it.each([70, 71, 106])(
    'begins a new session without a word where the broker has forgotten the old one: %d',
    async (code) => {
      expect(await setup(rejecting(told(code, partition(0, 6)))).port.fetch(request)).toEqual([])
    },
  )

  it('fails with what the broker says of the whole request, and with what the connection says', async () => {
    for (const error of [told(29), new NetworkError('connection lost')]) {
      await expect(setup(rejecting(error)).port.fetch(request)).rejects.toBe(error)
    }
  })

  it.each([new RangeError('a batch is of another version'), new UnsupportedCompressionError('no such compression')])(
    'tells what can’t be read from a connection that fails: %s',
    async (error) => {
      const failed = setup(rejecting(error)).port.fetch(request)
      await expect(failed).rejects.toBeInstanceOf(UnreadableBatchError)
      await expect(failed).rejects.toThrow(error.message)
    },
  )
})
