import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ContenderKind } from '../../../bench/contender.ts'
import { contenderKinds } from '../../../bench/contender-kinds.ts'
import { readOptions } from '../../../bench/options.ts'
import { startContenders } from '../../../bench/start-contenders.ts'

afterEach(() => vi.unstubAllEnvs())

const context = { kafka: undefined, worker: undefined, options: readOptions(['--quick']) }

function kind(name: string): ContenderKind {
  const found = contenderKinds.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no contender ${name}`)
  return found
}

describe('contenders', () => {
  it.each([
    ['zilla', 'ZILLA_HOME'],
    ['fastapi', 'STATEFLOW_HOME'],
  ])('%s is not run without %s, and the report says so', async (name, variable) => {
    vi.stubEnv(variable, '')
    const { contenders, missing } = await startContenders([kind(name)], context)
    expect(contenders).toEqual([])
    expect(missing.get(name)).toContain(`${variable} is not set`)
  })

  it('of our own must start', async () => {
    const start = () => Promise.reject(new Error('it broke'))
    await expect(startContenders([{ ...kind('echo'), start }], context)).rejects.toThrow('it broke')
  })

  it('have a peer’s reason without the folders of this machine', async () => {
    const start = () => Promise.reject(new Error('/home/me/bin/java was not ready\nand more'))
    const { missing } = await startContenders([{ ...kind('nest'), start }], context)
    expect(missing.get('nest')).toBe('java was not ready')
  })
})
