import { describe, expect, it } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import { createRegistry } from '../../../src/entity-registry/registry.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { createCanaryCalls } from '../../../src/gateway/observability/canary-calls.ts'
import type { HealthCheck, Outcome } from '../../../src/runtime-adapters/contract.ts'
import { until } from '../../helpers/until.ts'

const document = {
  formatVersion: 1 as const,
  application: 'test',
  entities: [
    {
      name: 'Thing',
      key: { name: 'id', schema: { type: 'string' } },
      methods: [{ name: 'look', params: [] }],
    },
  ],
}
const overrides = { file: 'overrides.json', byName: new Map([['Thing.look', { safe: true }]]) }
const registry = createRegistry(compileEntities([{ file: 'test.json', document }], overrides))

function start(known: Map<string, HealthCheck>, outcome: Promise<Outcome>) {
  const { observe } = readConfig({ env: { GATEWAY_CANARY_CALLS: 'Thing/a/look' }, argv: [] }).config
  const canaries = createCanaryCalls({
    ...{ options: observe, registry, known, page: undefined },
    invoke: () => outcome,
    newId: () => 'id',
  })
  canaries.start()
  return canaries
}

const answered = Promise.resolve<Outcome>({ kind: 'returned', value: 1 })
const silent = Promise.resolve<Outcome>({ kind: 'unknown', cause: 'deadline', detail: 'No answer came.' })
const pending = new Promise<Outcome>(() => undefined)

describe('canary calls after a reload', () => {
  it.each([
    [true, answered],
    [false, silent],
  ])('say what was known before, until theirs are answered: ok is %s', async (ok, outcome) => {
    const known = new Map<string, HealthCheck>()
    const before = start(known, outcome)
    expect(before.checks()).toMatchObject([{ ok: false, detail: 'Its first call is under way.' }])
    await until('it is answered', () => known.size === 1)
    const after = start(known, pending)
    before.close()
    expect(after.checks()).toMatchObject([{ name: 'canary Thing/a/look', ok }])
    after.close()
  })

  it('are not spoken for by those of before', async () => {
    const known = new Map<string, HealthCheck>()
    const late = Promise.withResolvers<Outcome>()
    const before = start(known, late.promise)
    before.close()
    const after = start(known, answered)
    await until('it is answered', () => known.size === 1)
    late.resolve(await silent)
    await late.promise
    expect(after.checks()).toMatchObject([{ ok: true }])
    after.close()
  })
})
