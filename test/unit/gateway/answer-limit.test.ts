import { describe, expect, it } from 'vitest'
import { withAnswerLimit } from '../../../src/gateway/invocations/answer-limit.ts'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import { runningRecord, storedAnswer } from '../../helpers/invocation-records.ts'

describe('the limit of a kept answer', () => {
  it.each([
    ['é'.repeat(512), 200],
    ['é'.repeat(513), 507],
    ['a'.repeat(1_025), 507],
  ])('counts bytes: %#', async (body, status) => {
    const store = withAnswerLimit(createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }), 1_024)
    const record = runningRecord()
    await store.open(record, undefined)
    expect(await store.finish(record.id, storedAnswer(body))).toBe(true)
    const read = await store.read(record.id)
    expect(read).toMatchObject({ state: 'finished', answer: { status } })
    await store.close()
  })

  it('keeps in place of a larger one how the call ended', async () => {
    const store = withAnswerLimit(createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }), 1_024)
    const record = runningRecord()
    await store.open(record, undefined)
    await store.finish(record.id, storedAnswer('x'.repeat(2_000), 201))
    const answer = await store.waitFor(record.id, 0)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({
      code: 'answer_too_large',
      retry: 'never',
      invocationId: record.id,
      detail: 'The call was answered with status 201 and 2000 bytes, of which 1024 may be kept.',
    })
    await store.close()
  })
})
