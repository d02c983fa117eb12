import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ContenderKind } from '../../../bench/contender.ts'
import { contenderKinds } from '../../../bench/contender-kinds.ts'
import { readOptions } from '../../../bench/options.ts'
import { startContender } from '../../../bench/start-contender.ts'

afterEach(() => vi.unstubAllEnvs())

const context = { kafka: undefined, worker: undefined, options: readOptions(['--quick']), topics: new Map() }

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
    expect(await startContender(kind(name), context)).toEqual({
      reason: expect.stringContaining(`${variable} is not set`),
    })
  })

  it('of our own must start', async () => {
    const start = () => Promise.reject(new Error('it broke'))
    await expect(startContender({ ...kind('echo'), start }, context)).rejects.toThrow('it broke')
  })

  it('have a peer’s reason without the folders of this machine', async () => {
    const start = () => Promise.reject(new Error('/home/me/bin/java was not ready\nand more'))
    expect(await startContender({ ...kind('nest'), start }, context)).toEqual({ reason: 'java was not ready' })
  })
})
