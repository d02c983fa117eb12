import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { InvocationStore } from '../../src/routes/invocation-store.ts'
import { runningRecord, storedAnswer } from '../helpers/invocation-records.ts'
import { until } from '../helpers/until.ts'

export interface StoreLab {
  /** Three replicas' views of one store; started. */
  readonly replicas: readonly [InvocationStore, InvocationStore, InvocationStore]
  close(): Promise<void>
}

/** Milliseconds that the stores under test keep what is finished, in the tests of time. */
const SHORT_RETENTION_MS = 300
const soon = () => Date.now() + 5_000

/** The laws of `InvocationStore`. */
export function describeInvocationStore(name: string, make: (retentionMs: number) => Promise<StoreLab>): void {
  describe(`${name} keeps the laws of invocation stores`, () => {
    let lab: StoreLab
    let a: InvocationStore
    let b: InvocationStore
    let c: InvocationStore
    const answer = storedAnswer('{"done":true}')
    beforeEach(async () => {
      lab = await make(60_000)
      ;[a, b, c] = lab.replicas
    })
    afterEach(() => lab.close())

    describe('records', () => {
      it('are read as they were written, on every replica, to the last digit', async () => {
        const record = runningRecord({
          asked: { kind: 'call', entity: 'Übung', key: 9_007_199_254_740_993n, member: 'tu_was' },
          fingerprint: 'print',
        })
        expect(await a.open(record, undefined)).toEqual({ kind: 'opened' })
        expect(await b.read(record.id)).toEqual(record)
      })

      it('tell a key that is a number from one that is text', async () => {
        const record = runningRecord({ asked: { kind: 'find', entity: 'User', key: '42', member: undefined } })
        await a.open(record, undefined)
        expect(await b.read(record.id)).toEqual(record)
      })

      it('are not there before they are opened', async () => {
        expect(await a.read(randomUUID())).toBeUndefined()
      })

      it('keep answers byte for byte', async () => {
        const odd = storedAnswer('{"n":12345678901234567890,"t":"\\ud800 ☃ \\u0000 \\"","e":1e400}', 418)
        const record = runningRecord()
        await a.open(record, undefined)
        expect(await a.finish(record.id, odd)).toBe(true)
        expect(await c.read(record.id)).toEqual({ ...record, state: 'finished', answer: odd })
      })
    })

    describe('a scope', () => {
      it('is opened once by 300 calls on three replicas; the others get the record', async () => {
        const scope = randomUUID()
        const records = Array.from({ length: 300 }, () => runningRecord({ fingerprint: 'same' }))
        const results = await Promise.all(
          records.map((record, index) => [a, b, c][index % 3]?.open(record, scope) ?? Promise.reject()),
        )
        const winners = records.filter((_, index) => results[index]?.kind === 'opened')
        expect(winners).toHaveLength(1)
        const others = results.filter(({ kind }) => kind === 'exists')
        expect(others).toHaveLength(299)
        expect(others.every((one) => one.kind === 'exists' && one.record.id === winners[0]?.id)).toBe(true)
      })

      it('gives the finished answer to who comes later', async () => {
        const scope = randomUUID()
        const record = runningRecord()
        await a.open(record, scope)
        await a.finish(record.id, answer)
        expect(await b.open(runningRecord(), scope)).toEqual({
          kind: 'exists',
          record: { ...record, state: 'finished', answer },
        })
      })

      it('is apart from other scopes, and calls without one never meet', async () => {
        expect(await a.open(runningRecord(), randomUUID())).toEqual({ kind: 'opened' })
        expect(await a.open(runningRecord(), randomUUID())).toEqual({ kind: 'opened' })
        expect(await a.open(runningRecord(), undefined)).toEqual({ kind: 'opened' })
        expect(await b.open(runningRecord(), undefined)).toEqual({ kind: 'opened' })
      })

      it('is free once its record is no more, though nobody has given it back', async () => {
        const scope = randomUUID()
        const record = runningRecord()
        await a.open(record, scope)
        await a.release(record.id, undefined, answer)
        const opened = await Promise.all([a, b, c].map((one) => one.open(runningRecord(), scope)))
        expect(opened.map(({ kind }) => kind).sort()).toEqual(['exists', 'exists', 'opened'])
      })

      it('leaves no record of those who lost it', async () => {
        const scope = randomUUID()
        const loser = runningRecord()
        await a.open(runningRecord(), scope)
        await b.open(loser, scope)
        await until('the loser’s record is gone', async () => (await c.read(loser.id)) === undefined)
      })
    })

    describe('finish', () => {
      it('is won by one of many, whose answer is the one that is told', async () => {
        const record = runningRecord()
        await a.open(record, undefined)
        const told = [a, b, c].map((one) => one.waitFor(record.id, soon()))
        // So that the waits have begun.
        await Promise.all([a, b, c].map((one) => one.read(record.id)))
        const answers = Array.from({ length: 30 }, (_, index) => storedAnswer(String(index)))
        const won = await Promise.all(answers.map((one, index) => [a, b, c][index % 3]?.finish(record.id, one)))
        const winner = answers[won.indexOf(true)]
        expect(won.filter((one) => one === true)).toHaveLength(1)
        expect(await Promise.all(told)).toEqual([winner, winner, winner])
        expect(await c.read(record.id)).toMatchObject({ state: 'finished', answer: winner })
        expect(await b.finish(record.id, answer)).toBe(false)
        expect(await a.read(record.id)).toMatchObject({ answer: winner })
      })

      it('says no of what was never opened', async () => {
        const id = randomUUID()
        expect(await a.finish(id, answer)).toBe(false)
        expect(await a.read(id)).toBeUndefined()
      })
    })

    describe('release', () => {
      it('frees the scope, and keeps the answer for those who know the id', async () => {
        const scope = randomUUID()
        const record = runningRecord()
        await a.open(record, scope)
        await a.release(record.id, scope, answer)
        expect(await b.read(record.id)).toEqual({ ...record, state: 'finished', answer })
        expect(await b.open(runningRecord(), scope)).toEqual({ kind: 'opened' })
      })

      it('does not free a scope that somebody else has taken since', async () => {
        const scope = randomUUID()
        const [first, second] = [runningRecord(), runningRecord()]
        await a.open(first, scope)
        await a.release(first.id, scope, answer)
        await b.open(second, scope)
        await a.release(first.id, scope, answer)
        expect(await c.open(runningRecord(), scope)).toEqual({ kind: 'exists', record: second })
      })

      it('gives its answer to who waits on another replica, and to who comes a moment late', async () => {
        const record = runningRecord()
        await a.open(record, undefined)
        const waiting = b.waitFor(record.id, soon())
        await a.release(record.id, undefined, answer)
        expect(await waiting).toEqual(answer)
        expect(await c.waitFor(record.id, soon())).toEqual(answer)
      })

      it('changes nothing of what is finished', async () => {
        const scope = randomUUID()
        const record = runningRecord()
        await a.open(record, scope)
        await a.finish(record.id, answer)
        await b.release(record.id, scope, storedAnswer('other'))
        expect(await c.read(record.id)).toMatchObject({ state: 'finished', answer })
        expect(await c.open(runningRecord(), scope)).toMatchObject({ kind: 'exists', record: { id: record.id } })
      })
    })

    describe('accept', () => {
      const queued = () => runningRecord({ state: 'queued' })

      it('makes a queued record a running one, on every replica, and for who joins it', async () => {
        const [record, scope] = [queued(), randomUUID()]
        await a.open(record, scope)
        expect(await b.read(record.id)).toEqual(record)
        await a.accept(record.id)
        expect(await b.read(record.id)).toEqual({ ...record, state: 'running' })
        expect(await c.open(queued(), scope)).toEqual({ kind: 'exists', record: { ...record, state: 'running' } })
      })

      it('wakes who waits for it on every replica, and nobody who waits for the answer', async () => {
        const record = queued()
        await a.open(record, undefined)
        const waiting = [a, b, c].map((one) => one.waitForAcceptance(record.id, soon()))
        const answered = b.waitFor(record.id, soon())
        // So that the waits have begun.
        await Promise.all([a, b, c].map((one) => one.read(record.id)))
        await a.accept(record.id)
        expect(await Promise.all(waiting)).toEqual(['accepted', 'accepted', 'accepted'])
        await c.finish(record.id, answer)
        expect(await answered).toEqual(answer)
      })

      it('gives way to the answer, and to that of a call that was released', async () => {
        const [finished, released] = [queued(), queued()]
        for (const { id } of [finished, released]) await a.open({ ...queued(), id }, undefined)
        const waiting = [b.waitForAcceptance(finished.id, soon()), b.waitForAcceptance(released.id, soon())]
        await a.finish(finished.id, answer)
        await a.release(released.id, undefined, answer)
        expect(await Promise.all(waiting)).toEqual([answer, answer])
        expect(await c.waitForAcceptance(finished.id, soon())).toEqual(answer)
        expect(await c.waitForAcceptance(released.id, soon())).toEqual(answer)
      })

      it('is waited for no longer than until its time, and not at all where there is nothing', async () => {
        const record = queued()
        await a.open(record, undefined)
        expect(await b.waitForAcceptance(record.id, Date.now() + 30)).toBeUndefined()
        expect(await b.waitForAcceptance(randomUUID(), soon() + 60_000)).toBeUndefined()
        await a.accept(record.id)
        expect(await b.waitForAcceptance(record.id, 0)).toBe('accepted')
      })

      it('changes nothing of what is finished, released or was never opened', async () => {
        const [finished, released, never] = [queued(), queued(), randomUUID()]
        await a.open(finished, undefined)
        await a.open(released, undefined)
        await a.finish(finished.id, answer)
        await a.release(released.id, undefined, answer)
        for (const id of [finished.id, released.id, never]) await b.accept(id)
        expect(await c.read(finished.id)).toEqual({ ...finished, state: 'finished', answer })
        expect(await c.read(released.id)).toEqual({ ...released, state: 'finished', answer })
        expect(await c.read(never)).toBeUndefined()
      })
    })

    describe('waitFor', () => {
      it('resolves on every replica when one finishes', async () => {
        const record = runningRecord()
        await a.open(record, undefined)
        const waiting = [a, b, c].flatMap((one) => [one.waitFor(record.id, soon()), one.waitFor(record.id, soon())])
        await b.finish(record.id, answer)
        expect(await Promise.all(waiting)).toEqual(waiting.map(() => answer))
      })

      it('resolves at once for what is finished, and for what does not exist', async () => {
        const record = runningRecord()
        await a.open(record, undefined)
        await a.finish(record.id, answer)
        expect(await b.waitFor(record.id, 0)).toEqual(answer)
        expect(await b.waitFor(randomUUID(), soon() + 60_000)).toBeUndefined()
      })

      it('hears of ends and acceptances when they come, not when it next looks for them', async () => {
        const durationsMs: number[] = []
        for (let round = 0; round < 6; round++) {
          const began = performance.now()
          const [accepted, finished, released] = [runningRecord({ state: 'queued' }), runningRecord(), runningRecord()]
          for (const record of [accepted, finished, released]) await a.open(record, undefined)
          const told = Promise.all([
            b.waitForAcceptance(accepted.id, soon()),
            b.waitFor(finished.id, soon()),
            c.waitFor(released.id, soon()),
          ])
          // So that the waits have begun.
          await Promise.all([b.read(accepted.id), c.read(released.id)])
          await a.accept(accepted.id)
          await a.finish(finished.id, answer)
          await a.release(released.id, undefined, answer)
          expect(await told).toEqual(['accepted', answer, answer])
          durationsMs.push(performance.now() - began)
        }
        // It looks each second: told by that, each round but the first would begin right after a look, and wait for the next.
        expect(Math.min(...durationsMs.slice(1))).toBeLessThan(500)
      })

      it('ends without an answer at its time, and when it is aborted', async () => {
        const record = runningRecord()
        await a.open(record, undefined)
        expect(await a.waitFor(record.id, Date.now() + 30)).toBeUndefined()
        const caller = new AbortController()
        const waiting = b.waitFor(record.id, soon() + 60_000, caller.signal)
        caller.abort()
        expect(await waiting).toBeUndefined()
      })

      it('ends when the store is closed, and so does the wait for an acceptance', async () => {
        const record = runningRecord({ state: 'queued' })
        await a.open(record, undefined)
        const waiting = [a.waitFor(record.id, soon() + 60_000), a.waitForAcceptance(record.id, soon() + 60_000)]
        // So that the waits have begun.
        await a.read(record.id)
        await a.close()
        expect(await Promise.all(waiting)).toEqual([undefined, undefined])
      })
    })

    it('knows which replicas live, and forgets the one that leaves', async () => {
      await a.beat('aaaaaa')
      expect((await b.beat('bbbbbb')).has('bbbbbb')).toBe(true)
      expect([...(await a.beat('aaaaaa'))]).toEqual(
        expect.arrayContaining(a.isShared ? ['aaaaaa', 'bbbbbb'] : ['aaaaaa']),
      )
      await b.leave('bbbbbb')
      expect(await a.beat('aaaaaa')).toEqual(new Set(['aaaaaa']))
    })

    it('is healthy, and may be closed twice', async () => {
      expect(await a.health()).toMatchObject({ ok: true })
      await a.close()
      await a.close()
    })
  })

  describe(`${name} and time`, () => {
    let lab: StoreLab
    beforeEach(async () => {
      lab = await make(SHORT_RETENTION_MS)
    })
    afterEach(() => lab.close())

    it('keeps what is finished for the retention, then says that it is gone, then knows nothing of it', async () => {
      const [a, b, c] = lab.replicas
      const record = runningRecord()
      const scope = randomUUID()
      await a.open(record, scope)
      await a.finish(record.id, storedAnswer('1'))
      expect(await b.read(record.id)).toMatchObject({ state: 'finished' })
      await until('it is gone', async () => (await b.read(record.id)) === 'gone')
      expect(await c.open(runningRecord(), scope)).toEqual({ kind: 'opened' })
      await until('it is forgotten', async () => (await b.read(record.id)) === undefined)
    })

    it('keeps what is running until its expiry and for a retention beyond, and takes its answer even then', async () => {
      const [a, b, c] = lab.replicas
      const scope = randomUUID()
      const [late, never] = [
        runningRecord({ expiresAt: Date.now() + 20 }),
        runningRecord({ expiresAt: Date.now() + 20 }),
      ]
      const long = runningRecord({ state: 'queued' })
      await a.open(late, scope)
      await a.open(never, undefined)
      await a.open(long, undefined)
      await b.accept(long.id)
      await until('it has expired', () => Date.now() > late.expiresAt + 20)
      expect(await b.finish(late.id, storedAnswer('late'))).toBe(true)
      expect(await c.open(runningRecord(), scope)).toMatchObject({ kind: 'exists', record: { id: late.id } })
      await until('the other is gone', async () => (await b.read(never.id)) === 'gone')
      expect(await c.read(long.id)).toEqual({ ...long, state: 'running' })
    })

    it('holds a scope for as long as its answer is kept, however late that came', async () => {
      const patient = await make(4_000)
      try {
        const [a, b, c] = patient.replicas
        const scope = randomUUID()
        const record = runningRecord({ expiresAt: Date.now() + 20 })
        await a.open(record, scope)
        await until('the record is half way gone', () => Date.now() > record.expiresAt + 2_000)
        expect(await b.finish(record.id, storedAnswer('late'))).toBe(true)
        await until('it would be gone without its answer', () => Date.now() > record.expiresAt + 4_050)
        expect(await c.open(runningRecord(), scope)).toMatchObject({ kind: 'exists', record: { id: record.id } })
      } finally {
        await patient.close()
      }
    })
  })
}
