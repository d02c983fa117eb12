import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import { createStore } from '../../../src/gateway/invocations/create-store.ts'
import { StoreUnavailable } from '../../../src/routes/invocation-store.ts'
import { runningRecord, storedAnswer } from '../../helpers/invocation-records.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

describe('the store that the settings ask for', () => {
  it('refuses further records when three quarters of GATEWAY_MAX_KEPT_BYTES are taken', async () => {
    const store = await createStore(readConfig({ env: { GATEWAY_MAX_KEPT_BYTES: '10000' }, argv: [] }).config, silent)
    const [first, second] = [runningRecord(), runningRecord()]
    await store.open(first, undefined)
    await store.finish(first.id, storedAnswer('x'.repeat(3_749)))
    await store.open(second, undefined)
    await store.finish(second.id, storedAnswer('x'))
    await expect(store.open(runningRecord(), undefined)).rejects.toThrow(StoreUnavailable)
    await store.close()
  })
})
