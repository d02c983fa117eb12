import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { type Figures, recoverySeconds } from '../../../bench/overload/figures.ts'
import type { Overload } from '../../../bench/overload/measure.ts'
import { openLoad, type Seen } from '../../../bench/overload/open-load.ts'
import { readOptions } from '../../../bench/overload/options.ts'
import { verdictsOf } from '../../../bench/overload/report.ts'

const good: Figures = {
  ...{ goodPerSecond: 500, refusedPerSecond: 0, failed: 0, statuses: { 200: 500 }, unsent: 0, p50Ms: 40, p99Ms: 50 },
}
const measured: Overload = {
  ...{ light: good, overload: good, after: good, others: good, othersBesideHot: good, hot: good },
  ...{ recoverySeconds: 1, heapBytes: [1, 1], limit: 50 },
}

/** One answer in each of the seconds. */
function answersIn(...seconds: readonly number[]): readonly Seen[] {
  return seconds.map((second) => ({ key: 'a', dueAtMs: second * 1_000 + 500, tookMs: 50, status: 200 }))
}

const phase = { unsent: 0, startedAtMs: 0, seconds: 4 }

describe('the time of recovery', () => {
  it('lasts until the first of the seconds whose answers are all good', () => {
    expect(recoverySeconds({ ...phase, seen: answersIn(0, 1, 2, 3) }, 100)).toBe(0)
    const refused = answersIn(1).map((one) => ({ ...one, status: 503 }))
    expect(recoverySeconds({ ...phase, seen: [...answersIn(0, 2, 3), ...refused] }, 100)).toBe(2)
  })

  it('goes on in a second without any answer', () => {
    expect(recoverySeconds({ ...phase, seen: answersIn(0, 2, 3) }, 100)).toBe(2)
    expect(recoverySeconds({ ...phase, seen: [] }, 100)).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('the verdict that no call is lost', () => {
  const verdictOf = (changes: Partial<Overload>) =>
    verdictsOf({ ...measured, ...changes }, readOptions([])).find(({ what }) => what.startsWith('No call ends'))

  it('is of every phase, that after the overload too', () => {
    expect(verdictOf({})).toMatchObject({ figure: '0 failed, 0.0 refused/s, 0 unsent', isMet: true })
    for (const name of ['light', 'overload', 'after', 'others', 'hot'] as const) {
      expect(verdictOf({ [name]: { ...good, failed: 1 } })?.isMet, name).toBe(false)
      expect(verdictOf({ [name]: { ...good, unsent: 1 } })?.isMet, name).toBe(false)
    }
  })
})

describe('the load of the overload', () => {
  it('counts a call that is never answered as one without an answer', async () => {
    const server = createServer((request) => void request.resume())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const load = await openLoad(port, 1)
    const now = performance.now.bind(performance)
    let passedMs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now() + passedMs)
    try {
      const run = load.run({ seconds: 0.2, streams: [{ perSecond: 40, keyOf: () => 'a' }] })
      setTimeout(() => {
        passedMs = 60_000
      }, 400)
      const { seen, unsent } = await run
      expect(seen.map(({ status }) => status)).toEqual([0])
      expect(unsent).toBeGreaterThan(0)
    } finally {
      vi.restoreAllMocks()
      load.close()
      server.close()
    }
  })
})
