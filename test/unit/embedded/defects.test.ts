import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Log, RuntimeAdapter } from '../../../src/runtime-adapters/contract.ts'
import { createEmbeddedAdapter } from '../../../src/runtime-adapters/embedded/adapter.ts'
import { type Caller, createCaller } from '../../conformance/caller.ts'
import { embeddedRuntime, silentLog } from '../../conformance/embedded-runtime.ts'
import { Probe } from './lab.ts'

describe('what is logged of a call that fails', () => {
  const warnings: object[] = []
  const log: Log = { ...silentLog, warn: (fields, message) => void warnings.push({ ...fields, message }) }
  const key = 'secret-key'
  let adapter: RuntimeAdapter
  let caller: Caller

  beforeEach(async () => {
    warnings.length = 0
    const definitions = [Probe]
    const { entities } = embeddedRuntime({ definitions })
    adapter = createEmbeddedAdapter({ definitions, context: { instance: 'embedded', entities, log } })
    caller = createCaller({ adapter, entities })
    await adapter.start()
    await caller.create('Probe', { id: key })
  })
  afterEach(() => adapter.close())

  it('is entity, method and place of a defect, but neither the key nor the message', async () => {
    await caller.call('Probe', key, 'break')
    expect(warnings).toEqual([
      {
        invocation: expect.any(String),
        ...{ entity: 'Probe', member: 'break', count: 1 },
        stack: expect.arrayContaining([expect.stringMatching(/^at .*lab\.ts:\d+/)]),
        message: 'an entity’s code has failed',
      },
    ])
    expect(JSON.stringify(warnings)).not.toMatch(/secret-key|shards/)
  })

  it('is no line of the message, be it like a place', async () => {
    for (let times = 0; times < 9; times++)
      await caller.call('Probe', key, 'break_by', { text: `\nat secret-${times}` })
    expect(warnings).toMatchObject([{ count: 1 }, { count: 2 }, { count: 4 }, { count: 8 }])
    expect(JSON.stringify(warnings)).not.toContain('secret-')
  })

  it('is nothing where the entity refuses, or is not there', async () => {
    await caller.call('Probe', key, 'refuse')
    await caller.call('Probe', 'nobody', 'break')
    expect(warnings).toEqual([])
  })

  it('does not fill the log: a place is named at the 1st, 2nd, 4th … time', async () => {
    for (let times = 0; times < 9; times++) await caller.call('Probe', key, 'break')
    expect(warnings).toMatchObject([{ count: 1 }, { count: 2 }, { count: 4 }, { count: 8 }])
  })
})
