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
  const swaps: { readonly methods: readonly string[]; readonly end: () => void }[] = []
  const reloading = createReloading({
    ...{ config, log: silentLog, page: undefined, authentication: undefined, generations: { number: 1 }, marks: '' },
    first: await describeEntities(config),
    swap: (entities) =>
      new Promise((end) => swaps.push({ methods: entities.flatMap((entity) => [...entity.methods.keys()]), end })),
  })
  const swapped = async (number: number) => {
    await vi.waitUntil(() => swaps.length === number)
    return swaps[number - 1]
  }
  return { reloading, swapped }
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
