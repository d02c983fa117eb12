import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createUnusableAnswers } from '../../../src/gateway/observability/unusable-answers.ts'
import { withCheckedAnswers } from '../../../src/routes/checked-answers.ts'
import type { Invocation, Outcome } from '../../../src/runtime-adapters/contract.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'

const [account] = compiledEntities({
  name: 'Account',
  methods: [{ name: 'sum', params: [], returns: { type: 'integer' } }],
})

function build() {
  const logged: object[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => void logged.push(fields) }
  const unusable = createUnusableAnswers(log)
  let outcome: Outcome = { kind: 'returned', value: 1 }
  const invoke = withCheckedAnswers(async () => outcome, unusable.note)
  async function call(next: Outcome): Promise<Outcome> {
    const method = account?.methods.get('sum')
    if (account === undefined || method === undefined) throw new Error('no such method')
    outcome = next
    const target = { kind: 'call', entity: account, key: 'a-secret-key', method } as const
    const invocation: Invocation = { id: 'i', target, args: {}, deadline: Date.now() + 1_000, context: {} }
    return invoke(invocation)
  }
  return { unusable, logged, call }
}

describe('answers that can’t be used', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('are named with the method and what to do about it: metadata older than the runtime’s code', async () => {
    const { unusable, call } = build()
    await call({ kind: 'returned', value: 7 })
    expect(unusable.checks()).toEqual([])
    expect((await call({ kind: 'returned', value: 'seven' })).kind).toBe('malformed')
    await vi.advanceTimersByTimeAsync(12_000)
    const [check] = unusable.checks()
    expect(check).toMatchObject({ name: 'answers', ok: false, essential: false })
    expect(check?.detail).toMatch(
      /Account\.sum \(call\), 12 s ago: The answer does not fit the metadata.*export it again/,
    )
    expect(check?.detail).not.toContain('a-secret-key')
  })

  it('are named when the adapter could not read them', async () => {
    const { unusable, call } = build()
    await call({ kind: 'malformed', detail: 'The reply is JSON: this runtime does not answer in pickle.' })
    expect(unusable.checks()[0]?.detail).toContain('this runtime does not answer in pickle')
  })

  it('are forgotten after ten minutes without another', async () => {
    const { unusable, call } = build()
    await call({ kind: 'returned', value: 'seven' })
    await vi.advanceTimersByTimeAsync(10 * 60_000 + 1)
    expect(unusable.checks()).toEqual([])
  })

  it('are logged at the 1st, 2nd, 4th and 8th, not each', async () => {
    const { logged, call } = build()
    for (let n = 0; n < 10; n++) await call({ kind: 'returned', value: 'seven' })
    expect(logged).toMatchObject([{ count: 1 }, { count: 2 }, { count: 4 }, { count: 8 }])
    expect(logged[0]).toMatchObject({ entity: 'Account', member: 'sum' })
  })
})
