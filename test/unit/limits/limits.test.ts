import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import { createLimits } from '../../../src/gateway/limits/limits.ts'
import type { Invocation, Outcome, Patience } from '../../../src/runtime-adapters/contract.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

const [account] = compiledEntities({ name: 'Account', methods: [{ name: 'add', params: [] }] })

function callOf(key: string, patience?: Patience): Invocation {
  const method = account?.methods.get('add')
  if (account === undefined || method === undefined) throw new Error('the test’s own metadata is broken')
  const target = { kind: 'call', entity: account, key, method } as const
  return { id: key, target, args: {}, deadline: Date.now() + 60_000, context: {}, patience }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

async function build(env: Readonly<Record<string, string>>) {
  const { config } = readConfig({ env: { GATEWAY_ADAPTIVE: 'true', ...env }, argv: [] })
  const limits = await createLimits({ config, log: silent, page: undefined })
  await limits.start()
  return limits
}

it('lets a line of a batch in once the call before it is taken for lost, and refuses those that wait at the end', async () => {
  const limits = await build({ GATEWAY_MAX_PENDING: '1' })
  const asked: string[] = []
  const invoke = limits.bound(({ id }) => {
    asked.push(id)
    return new Promise<Outcome>(() => undefined)
  })
  void invoke(callOf('lost'))
  void invoke(callOf('line', 'queues'))
  await vi.advanceTimersByTimeAsync(29_000)
  expect(asked).toEqual(['lost'])
  await vi.advanceTimersByTimeAsync(3_000)
  expect(asked).toEqual(['lost', 'line'])
  const next = invoke(callOf('next', 'queues'))
  limits.refuseWaiting()
  expect(await next).toMatchObject({ kind: 'not-sent', cause: 'shutting-down' })
  limits.close()
  expect(vi.getTimerCount()).toBe(0)
})

it('never gives a runtime more calls than may be pending, however few may always be', async () => {
  const limits = await build({ GATEWAY_MAX_PENDING: '3', GATEWAY_ADAPTIVE_MIN_IN_FLIGHT: '32' })
  let underWay = 0
  let most = 0
  const invoke = limits.bound(async () => {
    most = Math.max(most, ++underWay)
    await new Promise((resolve) => setTimeout(resolve, 20))
    underWay--
    return { kind: 'returned', value: null }
  })
  for (let n = 0; n < 1_000; n++) {
    void invoke(callOf(`key ${n}`))
    await vi.advanceTimersByTimeAsync(2)
  }
  expect(most).toBe(3)
  await vi.advanceTimersByTimeAsync(100)
  limits.close()
})
