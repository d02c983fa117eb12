import { describe, expect, it } from 'vitest'
import type { Invocation } from '../../../src/runtime-adapters/contract.ts'
import { createPendingCalls, type PendingCalls } from '../../../src/runtime-adapters/kafka/pending-calls.ts'
import { invocationOf } from '../../simulation/entity.ts'

const inAMinute = () => Date.now() + 60_000

function setup() {
  const pending = createPendingCalls({ maxCalls: 10, maxBytes: 10_000 })
  const open = (id: string) => {
    const call = pending.open(invocationOf(id, 1, inAMinute()), 1)
    if (call === undefined) throw new Error('no call is waiting yet')
    return call
  }
  return { pending, open }
}

function endOthers(
  count: number,
  { pending, open }: { pending: PendingCalls; open: ReturnType<typeof setup>['open'] },
) {
  for (let n = 0; n < count; n++) pending.settle(open(`other-${n}`), { kind: 'returned', value: n })
}

describe('a call that waits', () => {
  it('is found and answered however many others end meanwhile', async () => {
    const { pending, open } = setup()
    const slow = open('slow')
    endOthers(20_001, { pending, open })
    expect(pending.find('slow')).toBe(slow)
    pending.settle(slow, { kind: 'returned', value: 'there' })
    expect(await slow.outcome).toEqual({ kind: 'returned', value: 'there' })
  })

  it('is settled with all others however many have ended meanwhile', async () => {
    const { pending, open } = setup()
    const slow = open('slow')
    endOthers(10_001, { pending, open })
    pending.settleAll({ kind: 'unknown', cause: 'shutting-down', detail: 'The gateway stopped.' })
    expect(pending.size).toBe(0)
    expect(await slow.outcome).toMatchObject({ cause: 'shutting-down' })
  })
})

describe('a call whose deadline has passed', () => {
  const late: Invocation = { ...invocationOf('late', 1, 0), deadline: 0 }
  async function expire(pending: PendingCalls): Promise<void> {
    await pending.open(late, 1)?.outcome
  }

  it('is unanswered until its late answer has come', async () => {
    const { pending, open } = setup()
    await expire(pending)
    const waiting = open('waiting')
    expect(pending.unanswered).toBe(2)
    pending.forget('late')
    pending.forget('late')
    expect(pending.unanswered).toBe(1)
    pending.settle(waiting, { kind: 'returned', value: 1 })
    expect(pending.unanswered).toBe(0)
  })

  it('is no longer counted when it is no longer remembered', async () => {
    const { pending, open } = setup()
    await expire(pending)
    endOthers(20_001, { pending, open })
    expect(pending.bygone('late')).toEqual({ kind: 'foreign' })
    expect(pending.unanswered).toBe(0)
  })
})
