import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import { createReloading } from '../../../src/gateway/reload/reloading.ts'
import { describeEntities } from '../../../src/gateway/runtimes.ts'
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
async function startReloading() {
  const env = { GATEWAY_RUNTIME: 'statefun-endpoint', GATEWAY_METADATA: write('add', 'look') }
  const { config } = readConfig({ env: { ...env, GATEWAY_SUNSET_MS: String(sunsetMs) }, argv: [] })
  const swaps: { readonly methods: readonly string[]; readonly end: (error?: Error) => void }[] = []
  const reloading = createReloading({
    ...{ config, log: silentLog, page: undefined, authentication: undefined, generations: { number: 1 }, marks: '' },
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
  return { reloading, swapped, count: () => swaps.length }
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
async function startKeeping() {
  const started = await startReloading()
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
