import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LONGEST_TIMER_MS } from '../../../src/entity-registry/longest-timer.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { createMetricPage } from '../../../src/gateway/observability/metric-page.ts'
import { createReloading, sourcesOf } from '../../../src/gateway/reload/reloading.ts'
import { markFiles } from '../../../src/gateway/reload/watch-files.ts'
import { describeEntities } from '../../../src/gateway/runtimes.ts'
import type { Log } from '../../../src/runtime-adapters/contract.ts'
import { silentLog } from '../../conformance/embedded-runtime.ts'
import { counterMetadata } from '../../helpers/counter-function.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'

let folder: TemporaryFolder

beforeEach(() => {
  vi.useFakeTimers()
  folder = createTemporaryFolder()
})
afterEach(() => {
  vi.useRealTimers()
  folder.close()
})

const sunsetMs = 1_000
const write = (...names: readonly string[]) =>
  folder.write('counter.json', counterMetadata('http://localhost:1', names))

/** Each exchange waits for the test, and tells what would be served. */
async function startReloading(settings: Readonly<Record<string, string>> = {}, names = ['add', 'look']) {
  const page = createMetricPage()
  const env = { GATEWAY_RUNTIME: 'statefun-endpoint', GATEWAY_METADATA: write(...names) }
  const { config } = readConfig({ env: { ...env, GATEWAY_SUNSET_MS: String(sunsetMs), ...settings }, argv: [] })
  const [info, warn, error] = [vi.fn<Log['info']>(), vi.fn<Log['warn']>(), vi.fn<Log['error']>()]
  const log = { ...silentLog, info, warn, error }
  const swaps: { readonly methods: readonly string[]; readonly end: (error?: Error) => void }[] = []
  const reloading = createReloading({
    ...{ config, log, page, authentication: undefined, generations: { number: 1 } },
    marks: markFiles(sourcesOf(config)),
    first: await describeEntities(config),
    swap: (entities) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error === undefined ? resolve() : reject(error))
        swaps.push({ methods: entities.flatMap((entity) => [...entity.methods.keys()]), end })
      }),
  })
  const swapped = async (number: number) => {
    await vi.waitUntil(() => swaps.length === number)
    return swaps[number - 1]
  }
  return { reloading, swapped, log, page, count: () => swaps.length }
}

it('reads what was asked for while one runs, also when something’s time ends meanwhile', async () => {
  const { reloading, swapped } = await startReloading()
  write('add')
  const first = reloading.reload()
  const kept = await swapped(1)
  expect(kept?.methods).toEqual(['add', 'look'])
  kept?.end()
  await first
  write('look')
  const second = reloading.reload()
  const running = await swapped(2)
  write()
  const asked = reloading.reload()
  await vi.advanceTimersByTimeAsync(2 * sunsetMs)
  running?.end()
  await second
  const last = await swapped(3)
  expect(last?.methods).toEqual(['look'])
  last?.end()
  expect(await asked).toMatchObject({ kind: 'swapped', changes: [{ member: 'look', kind: 'gone' }] })
  await reloading.close()
})

/** `look` is gone, and kept for its time. */
async function startKeeping(settings: Readonly<Record<string, string>> = {}) {
  const started = await startReloading(settings)
  write('add')
  const reloaded = started.reloading.reload()
  ;(await started.swapped(1))?.end()
  expect(await reloaded).toMatchObject({ kind: 'swapped' })
  return started
}

it('tries again after ten seconds to take away what could not be, and not again once it is gone', async () => {
  const { reloading, swapped, count } = await startKeeping()
  await vi.advanceTimersByTimeAsync(sunsetMs / 2)
  expect(count()).toBe(1)
  await vi.advanceTimersByTimeAsync(sunsetMs / 2)
  const first = await swapped(2)
  first?.end(new Error('It is stuck.'))
  await vi.advanceTimersByTimeAsync(9_000)
  expect(count()).toBe(2)
  await vi.advanceTimersByTimeAsync(1_000)
  const second = await swapped(3)
  expect([first?.methods, second?.methods]).toEqual([['add'], ['add']])
  second?.end()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(count()).toBe(3)
  await reloading.close()
})

it('reads nothing that was not asked for when something’s time ends, and says that it has', async () => {
  const { reloading, swapped, log } = await startKeeping()
  write('add', 'look')
  log.info.mockClear()
  await vi.advanceTimersByTimeAsync(sunsetMs)
  const ended = await swapped(2)
  expect(ended?.methods).toEqual(['add'])
  ended?.end()
  await reloading.close()
  expect(log.info.mock.calls).toEqual([[expect.anything(), 'the new metadata serves']])
})

it('says in the log what it has read again, whatever came of it', async () => {
  const { reloading, log } = await startReloading()
  expect(await reloading.reload()).toEqual({ kind: 'unchanged' })
  folder.write('counter.json', '{')
  const result = await reloading.reload()
  await reloading.close()
  expect(log.info.mock.calls).toEqual([[{}, 'the metadata is as it was']])
  expect(log.error.mock.calls).toEqual([
    [{ err: 'error' in result && result.error }, 'what was read can’t be served, so what there was serves on'],
  ])
})

it('shows since when what serves has served, and how often anything was read', async () => {
  vi.setSystemTime(1_000_000)
  const { reloading, swapped, page } = await startReloading()
  const shown = () => {
    const lines = page.text().split('\n')
    const of = (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1])
    const kinds = ['swapped', 'unchanged', 'blocked', 'failed']
    const counts = kinds.map((kind) => of(`gateway_reloads_total{result="${kind}"}`))
    return { since: of('gateway_last_swap_timestamp_seconds'), counts }
  }
  expect(shown()).toEqual({ since: 1_000, counts: [0, 0, 0, 0] })
  vi.setSystemTime(2_000_000)
  await reloading.reload()
  expect(shown()).toEqual({ since: 1_000, counts: [0, 1, 0, 0] })
  write('add')
  const reloaded = reloading.reload()
  ;(await swapped(1))?.end()
  await reloaded
  // The clock goes on while the exchange is looked for.
  expect(shown()).toEqual({ since: expect.closeTo(2_000, -1), counts: [1, 1, 0, 0] })
  await reloading.close()
})

it.each([
  [5, ''],
  [6, '; and 1 more'],
])('names five of %i changes that would break callers, and how many more there are', async (count, more) => {
  const { reloading, swapped } = await startReloading({ GATEWAY_SUNSET_MS: '0' })
  const names = Array.from({ length: count }, (_, at) => `m${at}`)
  const own = counterMetadata('http://localhost:1').entities.flatMap(({ methods }) => methods)
  const methods = [...own, ...names.map((name) => ({ name, params: [] }))]
  folder.write('counter.json', counterMetadata('http://localhost:1', [], { methods }))
  const reloaded = reloading.reload()
  ;(await swapped(1))?.end()
  await reloaded
  write('add', 'look')
  // As long as it is so.
  for (let time = 0; time < 2; time++) expect(await reloading.reload()).toMatchObject({ kind: 'blocked' })
  await reloading.close()
  const shown = names.slice(0, 5).map((name) => `Counter.${name}: is gone`)
  expect(reloading.check().detail).toBe(`It would break callers: ${shown.join('; ')}${more}.`)
})

it('takes a key that takes less as a change that breaks callers, also where a method of its name is kept', async () => {
  const { reloading, swapped } = await startReloading()
  folder.write('counter.json', counterMetadata('http://localhost:1', [], { methods: [{ name: 'key', params: [] }] }))
  const reloaded = reloading.reload()
  ;(await swapped(1))?.end()
  await reloaded
  const key = { name: 'id', schema: { type: 'string', maxLength: 3 } }
  folder.write('counter.json', counterMetadata('http://localhost:1', [], { key }))
  expect(await reloading.reload()).toMatchObject({ kind: 'blocked', changes: [{ member: 'key', kind: 'changed' }] })
  await reloading.close()
})

it.each(['GATEWAY_OVERRIDES', 'GATEWAY_API_KEYS_FILE', 'GATEWAY_JWKS_FILE'])(
  'watches the file that %s names',
  async (name) => {
    const file = folder.write('apart/watched.json', '{}')
    const { reloading, log } = await startReloading({ GATEWAY_RELOAD: 'watch', [name]: file })
    const changes = () => log.info.mock.calls.filter(([, message]) => message === 'files have changed').length
    reloading.start()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(changes()).toBe(0)
    folder.write('apart/watched.json', '{ }')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(changes()).toBe(1)
    await reloading.close()
  },
)

it('keeps attributes for a time, too, and breaks nobody by that', async () => {
  const writeState = (state: object) =>
    folder.write('counter.json', counterMetadata('http://localhost:1', [], { state }))
  const { reloading, swapped } = await startReloading()
  writeState({ count: { type: 'integer' }, last: { type: 'string' } })
  const reloaded = reloading.reload()
  ;(await swapped(1))?.end()
  expect(await reloaded).toMatchObject({ kind: 'swapped' })
  writeState({ last: { type: 'string' } })
  const again = reloading.reload()
  ;(await swapped(2))?.end()
  expect(await again).toMatchObject({ kind: 'swapped', changes: [{ member: 'count', kind: 'gone' }] })
  await reloading.close()
})

it('looks but rarely at what is kept for longer than a timer can last', async () => {
  const { reloading, count, log } = await startKeeping({ GATEWAY_SUNSET_MS: String(2 * LONGEST_TIMER_MS) })
  log.info.mockClear()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([count(), log.info.mock.calls.length]).toEqual([1, 0])
  await reloading.close()
})

it('has one timer for all that is kept, and none for files once it is closed', async () => {
  const { reloading, swapped } = await startKeeping({ GATEWAY_RELOAD: 'watch' })
  write()
  const reloaded = reloading.reload()
  ;(await swapped(2))?.end()
  expect(await reloaded).toMatchObject({ kind: 'swapped' })
  expect(vi.getTimerCount()).toBe(1)
  reloading.start()
  expect(vi.getTimerCount()).toBe(2)
  await reloading.close()
  expect(vi.getTimerCount()).toBe(0)
})

it('breaks nobody by what it could not serve', async () => {
  const { reloading, swapped } = await startReloading({}, ['add'])
  write('add', 'look')
  const failed = reloading.reload()
  ;(await swapped(1))?.end(new Error('It is stuck.'))
  expect(await failed).toMatchObject({ kind: 'failed' })
  folder.write('counter.json', counterMetadata('http://localhost:1', ['add'], { description: 'It counts.' }))
  const reloaded = reloading.reload()
  ;(await swapped(2))?.end()
  expect(await reloaded).toMatchObject({ kind: 'swapped' })
  await reloading.close()
})

it('goes on saying that what was read last is not served, when something’s time ends', async () => {
  const { reloading, swapped } = await startKeeping()
  folder.write('counter.json', '{')
  expect(await reloading.reload()).toMatchObject({ kind: 'failed' })
  await vi.advanceTimersByTimeAsync(10_000)
  ;(await swapped(2))?.end()
  await reloading.close()
  expect(reloading.check()).toMatchObject({ ok: false, detail: expect.stringContaining('counter.json') })
})

it('warns of what the new metadata may not have meant, once', async () => {
  const { reloading, swapped, log } = await startKeeping()
  const look = { name: 'look', params: [{ name: 'day', schema: { type: 'string', format: 'dat' } }] }
  folder.write('counter.json', counterMetadata('http://localhost:1', [], { methods: [look] }))
  const reloaded = reloading.reload()
  ;(await swapped(2))?.end()
  expect(await reloaded).toMatchObject({ kind: 'swapped' })
  await vi.advanceTimersByTimeAsync(sunsetMs)
  ;(await swapped(3))?.end()
  await reloading.close()
  const hints = log.warn.mock.calls.map(([fields]) => fields)
  expect(hints).toEqual([{ hint: expect.stringContaining('"dat"') }])
})

it('takes nothing away, and reads nothing, once it is closed', async () => {
  const { reloading, count } = await startKeeping()
  await reloading.close()
  expect(vi.getTimerCount()).toBe(0)
  write('look')
  expect(await reloading.reload()).toEqual({ kind: 'unchanged' })
  expect(count()).toBe(1)
})

it('sets no timer where it is closed while an exchange is under way', async () => {
  const { reloading, swapped } = await startReloading()
  write('add')
  const reloaded = reloading.reload()
  const running = await swapped(1)
  const closed = reloading.close()
  running?.end()
  await Promise.all([reloaded, closed])
  expect(vi.getTimerCount()).toBe(0)
})
