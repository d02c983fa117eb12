import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Quota } from '../../src/gateway/limits/quota.ts'
import type { RateStore } from '../../src/gateway/limits/rate-store.ts'
import { until } from '../helpers/until.ts'

export interface RateStoreLab {
  /** Started; they count together. */
  readonly replicas: readonly [RateStore, RateStore]
  close(): Promise<void>
}

const quota: Quota = { policy: 'caller', calls: 5, windowSeconds: 60 }
const short: Quota = { policy: 'caller', calls: 5, windowSeconds: 1 }

/** The laws of stores that count calls towards a quota. */
export function describeRateStore(name: string, open: () => Promise<RateStoreLab>): void {
  describe(`${name} keeps the laws of rate stores`, () => {
    let lab: RateStoreLab
    beforeAll(async () => {
      lab = await open()
    }, 180_000)
    afterAll(() => lab?.close())

    it('counts from one, whichever replica is asked', async () => {
      const [a, b] = lab.replicas
      const bucket = randomUUID()
      const counts = [await a.count(bucket, quota), await b.count(bucket, quota), await a.count(bucket, quota)]
      expect(counts.map(({ calls }) => calls)).toEqual([1, 2, 3])
    })

    it('keeps buckets apart', async () => {
      const [a] = lab.replicas
      await a.count(randomUUID(), quota)
      expect((await a.count(randomUUID(), quota)).calls).toBe(1)
    })

    it('counts each of many calls at once, once', async () => {
      const bucket = randomUUID()
      const all = await Promise.all(
        lab.replicas.flatMap((store) => Array.from({ length: 150 }, () => store.count(bucket, quota))),
      )
      expect(all.map(({ calls }) => calls).sort((x, y) => x - y)).toEqual(Array.from({ length: 300 }, (_, n) => n + 1))
    })

    it('ends the window that the first call began, however many come: then all is given anew', async () => {
      const [a, b] = lab.replicas
      const bucket = randomUUID()
      const first = await a.count(bucket, short)
      expect(first.leftMs).toBeGreaterThan(900)
      expect(first.leftMs).toBeLessThanOrEqual(1_000)
      const startedAtMs = performance.now()
      let leftMs = first.leftMs
      await until('the window has ended', async () => {
        const next = await b.count(bucket, short)
        if (next.calls === 1) return true
        expect(next.leftMs).toBeGreaterThan(0)
        expect(next.leftMs).toBeLessThanOrEqual(leftMs)
        leftMs = next.leftMs
        return false
      })
      const tookMs = performance.now() - startedAtMs
      expect(tookMs).toBeGreaterThan(900)
      expect(tookMs).toBeLessThan(2_500)
    })

    it('goes on with no count of a window that is over, however close to its end the next call comes', async () => {
      const [a] = lab.replicas
      for (let round = 0; round < 50; round++) {
        const bucket = randomUUID()
        const ending = a.count(bucket, { ...quota, windowSeconds: 0.002 })
        const counts = await Promise.all([ending, ...Array.from({ length: 200 }, () => a.count(bucket, quota))])
        expect(counts.filter(({ leftMs }) => leftMs <= 0)).toEqual([])
        const ofTheNext = counts.filter(({ leftMs }) => leftMs > 2)
        expect(ofTheNext.map(({ calls }) => calls)).toEqual(ofTheNext.map((_, index) => index + 1))
      }
    })
  })
}
