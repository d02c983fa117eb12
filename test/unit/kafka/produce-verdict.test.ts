import { describe, expect, it } from 'vitest'
import { verdictOf } from '../../../src/runtime-adapters/kafka/produce-verdict.ts'

const kind = (error: string, baseOffset: bigint | undefined, acks: 'all' | 'leader' = 'all') =>
  verdictOf({ error, baseOffset, acks }).kind

describe('the verdict on a produce error', () => {
  it('is unknown for a leader that lost its place after it had appended', () => {
    expect(kind('NOT_LEADER_OR_FOLLOWER', 42n)).toBe('unknown')
  })

  it('is unknown too where what it had appended is the first of its partition', () => {
    expect(kind('NOT_LEADER_OR_FOLLOWER', 0n)).toBe('unknown')
  })

  it('lets a leader that never appended be tried again elsewhere', () => {
    expect(kind('NOT_LEADER_OR_FOLLOWER', -1n)).toBe('try-again')
    expect(kind('UNKNOWN_TOPIC_OR_PARTITION', -1n)).toBe('try-again')
  })

  it('does not guess where the client hides the offset, but for a leader that waits for nobody', () => {
    expect(kind('NOT_LEADER_OR_FOLLOWER', undefined)).toBe('unknown')
    expect(kind('NOT_LEADER_OR_FOLLOWER', undefined, 'leader')).toBe('try-again')
  })

  it.each(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'KAFKA_STORAGE_ERROR', 'UNKNOWN_SERVER_ERROR'])(
    'is unknown for %s',
    (error) => {
      expect(kind(error, -1n)).toBe('unknown')
    },
  )

  it.each(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])('says too large for %s', (error) => {
    expect(verdictOf({ error, baseOffset: -1n, acks: 'all' })).toMatchObject({ kind: 'refused', cause: 'too-large' })
  })

  it('refuses for good what the broker forbids, and waits for replicas that are missing', () => {
    expect(kind('TOPIC_AUTHORIZATION_FAILED', -1n)).toBe('refused')
    expect(kind('NOT_ENOUGH_REPLICAS', -1n)).toBe('try-again')
  })
})
