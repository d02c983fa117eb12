import { describe, expect, it } from 'vitest'
import { createRollCall } from '../../../src/gateway/invocations/roll-call.ts'
import { shareOf } from '../../../src/gateway/replica-share.ts'

describe('the roll call', () => {
  it('tells replicas and the shares that others hold from their names', () => {
    const roll = createRollCall('aaaaaa')
    roll.take({ index: 0, count: 3 })
    expect(roll.name).toBe('aaaaaa@0/3')
    expect(roll.seen(new Set(['aaaaaa@0/3', 'bbbbbb@1/3', 'cccccc', 'dddddd@nonsense']))).toEqual(
      new Set(['aaaaaa', 'bbbbbb', 'cccccc', 'dddddd']),
    )
    expect(roll.holders()).toEqual([{ index: 1, count: 3 }])
  })

  it('trusts nobody to read once the store has told nothing for ten seconds', () => {
    let now = 0
    const roll = createRollCall('aaaaaa', () => now)
    roll.seen(new Set(['bbbbbb@1/3']))
    now = 9_999
    expect(roll.holders()).toHaveLength(1)
    now = 10_000
    expect(roll.holders()).toEqual([])
  })
})

describe('the share of a replica', () => {
  it('is counted from 0', () => {
    expect(shareOf({ replica: '2/3' })).toEqual({ index: 2, count: 3 })
    expect(shareOf({})).toBeUndefined()
    expect(() => shareOf({ replica: '3/3' })).toThrow('GATEWAY_REPLICA=3/3: replicas are counted from 0')
  })
})
