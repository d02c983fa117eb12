import { describe, expect, it } from 'vitest'
import { takeCommitted } from '../../../src/runtime-adapters/kafka/committed-records.ts'
import type { FetchedBatch } from '../../../src/runtime-adapters/kafka/fetch-port.ts'

const transactional = 16
const control = 48

function batch(first: bigint, count: number, more: Partial<FetchedBatch> = {}): FetchedBatch {
  const records = Array.from({ length: count }, (_, offsetDelta) => ({ offsetDelta, key: null, value: null }))
  return { firstOffset: first, lastOffsetDelta: count - 1, attributes: 0, producerId: -1n, records, ...more }
}

function read(
  batches: readonly FetchedBatch[],
  from = 0n,
  aborted: { producerId: bigint; firstOffset: bigint }[] = [],
) {
  const offsets: bigint[] = []
  const next = takeCommitted({ topic: 't', partition: 0, batches, aborted }, from, ({ offset }) => offsets.push(offset))
  return { offsets, next }
}

describe('the committed records of a fetch', () => {
  it('begin where it was asked for, though the broker sends whole batches', () => {
    expect(read([batch(0n, 4), batch(4n, 2)], 3n)).toEqual({ offsets: [3n, 4n, 5n], next: 6n })
  })

  it('never move back, whatever batches come', () => {
    expect(read([batch(0n, 2)], 5n)).toEqual({ offsets: [], next: 5n })
  })

  it('move past batches that compaction has emptied', () => {
    expect(read([batch(0n, 1), batch(1n, 3, { records: [] })])).toEqual({ offsets: [0n], next: 4n })
  })

  it('leave out an aborted transaction whose marker is not in this fetch', () => {
    const producerId = 7n
    const open = [batch(0n, 1), batch(1n, 2, { attributes: transactional, producerId })]
    expect(read(open, 0n, [{ producerId, firstOffset: 1n }])).toEqual({ offsets: [0n], next: 3n })
  })

  it('keep the aborted transactions of two producers apart', () => {
    const data = (at: bigint, producerId: bigint) => batch(at, 1, { attributes: transactional, producerId })
    const log = [data(0n, 7n), data(1n, 8n), batch(2n, 1, { attributes: control, producerId: 7n }), data(3n, 8n)]
    const aborted = [7n, 8n].map((producerId, at) => ({ producerId, firstOffset: BigInt(at) }))
    expect(read([...log, batch(4n, 1)], 0n, aborted)).toEqual({ offsets: [4n], next: 5n })
  })

  it('tell two aborted transactions of one producer from the committed one between them', () => {
    const producerId = 7n
    const data = (at: bigint) => batch(at, 1, { attributes: transactional, producerId })
    const marker = (at: bigint) => batch(at, 1, { attributes: control, producerId })
    const log = [data(0n), marker(1n), data(2n), marker(3n), data(4n), marker(5n)]
    const aborted = [
      { producerId, firstOffset: 4n },
      { producerId, firstOffset: 0n },
    ]
    expect(read(log, 0n, aborted)).toEqual({ offsets: [2n], next: 6n })
  })
})
