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

  it('keeps no answer beyond GATEWAY_MAX_ANSWER_BYTES, and no more records than GATEWAY_MAX_INVOCATIONS', async () => {
    const env = { GATEWAY_MAX_ANSWER_BYTES: '1024', GATEWAY_MAX_INVOCATIONS: '1' }
    const store = await createStore(readConfig({ env, argv: [] }).config, silent)
    const record = runningRecord()
    await store.open(record, undefined)
    await store.finish(record.id, storedAnswer('x'.repeat(1_025)))
    expect(await store.read(record.id)).toMatchObject({ state: 'finished', answer: { status: 507 } })
    await expect(store.open(runningRecord(), undefined)).rejects.toThrow(StoreUnavailable)
    await store.close()
  })

  it.each([
    ['REDIS_TLS_CA_FILE', 'redis://cache', 'rediss'],
    ['REDIS_TLS_CERT_FILE', 'redis+cluster://cache', 'rediss'],
    ['REDIS_TLS_KEY_FILE', 'redis+sentinel://cache/main', 'rediss'],
    ['REDIS_SENTINEL_USERNAME', 'redis://cache', 'redis+sentinel or rediss+sentinel'],
    ['REDIS_SENTINEL_PASSWORD', 'rediss+cluster://cache', 'redis+sentinel or rediss+sentinel'],
  ])('is refused with %s and %s, which would ignore it', async (name, REDIS_URL, scheme) => {
    const { config } = readConfig({ env: { REDIS_URL, [name]: 'not-to-be-shown' }, argv: [] })
    const refusal = `${name} needs a REDIS_URL that begins with ${scheme}: without that, it would be ignored.`
    await expect(createStore(config, silent)).rejects.toThrow(new Error(refusal))
  })
})
