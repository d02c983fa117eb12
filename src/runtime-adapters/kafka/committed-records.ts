import type { FetchedBatch, FetchedPartition } from './fetch-port.ts'
import type { ReceivedRecord } from './transport.ts'

/** Bits of a batch's attributes (KIP-98). */
const transactional = 1 << 4
const control = 1 << 5
const empty = Buffer.alloc(0)

/**
 * Hands over the records of a fetch from `from` on, without those of aborted transactions.
 * @returns the offset to go on from: past transaction markers too, and past batches that compaction has emptied
 */
export function takeCommitted(
  { topic, partition, batches, aborted }: Omit<FetchedPartition, 'error'>,
  from: bigint,
  take: (record: ReceivedRecord) => void,
): bigint {
  const isCommitted = createAbortFilter(aborted)
  let next = from
  for (const batch of batches) {
    const last = lastOffsetOf(batch)
    for (const { offsetDelta, key, value } of isCommitted(batch) ? batch.records : []) {
      const offset = batch.firstOffset + BigInt(offsetDelta)
      // A broker sends whole batches, so the first may begin before what was asked for.
      if (offset < from) continue
      take({ topic, partition, offset, key: key ?? empty, value: value ?? empty })
    }
    if (last >= from) next = last + 1n
  }
  return next
}

/** Takes batches in the order of their offsets; `true` for those that hold records and were not aborted. */
function createAbortFilter(aborted: FetchedPartition['aborted']): (batch: FetchedBatch) => boolean {
  const upcoming = aborted.toSorted((a, b) => Number(a.firstOffset - b.firstOffset))
  const abortedNow = new Set<bigint>()
  return (batch) => {
    const last = lastOffsetOf(batch)
    for (let first = upcoming[0]; first !== undefined && first.firstOffset <= last; first = upcoming[0]) {
      abortedNow.add(first.producerId)
      upcoming.shift()
    }
    if ((batch.attributes & control) !== 0) {
      // A marker ends the transaction of its producer; the next one of the same producer may be a good one.
      abortedNow.delete(batch.producerId)
      return false
    }
    return (batch.attributes & transactional) === 0 || !abortedNow.has(batch.producerId)
  }
}

function lastOffsetOf({ firstOffset, lastOffsetDelta }: FetchedBatch): bigint {
  return firstOffset + BigInt(lastOffsetDelta)
}
