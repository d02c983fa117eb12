import { symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { markFiles, watchFiles } from '../../../src/gateway/reload/watch-files.ts'
import { silentLog } from '../../conformance/embedded-runtime.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'

let folder: TemporaryFolder
const ends: (() => void)[] = []

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  folder = createTemporaryFolder()
})
afterEach(() => {
  for (const end of ends.splice(0)) end()
  vi.useRealTimers()
  folder.close()
})

const intervalMs = 1_000

/** What is told of changes, look by look. */
function watch(...sources: readonly string[]) {
  const onChange = vi.fn()
  const end = watchFiles({ sources, marks: markFiles(sources), intervalMs, log: silentLog, onChange })
  ends.push(end)
  const look = (): number => {
    onChange.mockClear()
    vi.advanceTimersByTime(intervalMs)
    return onChange.mock.calls.length
  }
  return { look, end }
}

describe('files that are watched', () => {
  it('are read again once, when what has changed is the same at two looks', () => {
    const { look } = watch(folder.write('a.json', '1'))
    expect([look(), look()]).toEqual([0, 0])
    folder.write('a.json', '12')
    expect(look()).toBe(0)
    folder.write('a.json', '123')
    expect([look(), look(), look()]).toEqual([0, 1, 0])
  })

  it('are not read again where they are as before at the next look, or once the watch has ended', () => {
    const { look, end } = watch(folder.path)
    const file = folder.write('new.json', '1')
    expect(look()).toBe(0)
    unlinkSync(file)
    expect([look(), look()]).toEqual([0, 0])
    folder.write('new.json', '1')
    end()
    expect([look(), look()]).toEqual([0, 0])
  })

  it.each([
    ['that is new in a folder', () => folder.path, 'new.json'],
    ['that is new to a glob', () => join(folder.path, '*.json'), 'new.json'],
    ['that was named before it was there', () => join(folder.path, 'later.json'), 'later.json'],
  ])('are read again for one %s, and when it goes', (_which, source, name) => {
    folder.write('a.json', '1')
    const { look } = watch(source())
    const file = folder.write(name, '1')
    expect([look(), look(), look()]).toEqual([0, 1, 0])
    unlinkSync(file)
    expect([look(), look(), look()]).toEqual([0, 1, 0])
  })

  it('may have a link among them that leads nowhere, or to itself', () => {
    folder.write('a.json', '1')
    const { look } = watch(folder.path)
    symlinkSync('nowhere', join(folder.path, 'nothing'))
    symlinkSync('loop', join(folder.path, 'loop'))
    expect([look(), look(), look()]).toEqual([0, 1, 0])
    folder.write('a.json', '12')
    expect([look(), look()]).toEqual([0, 1])
  })

  it('may be named by a link that leads to itself, until it leads somewhere', () => {
    const link = join(folder.path, 'loop')
    symlinkSync('loop', link)
    const { look } = watch(link)
    expect([look(), look()]).toEqual([0, 0])
    unlinkSync(link)
    folder.write('loop', '1')
    expect([look(), look()]).toEqual([0, 1])
  })
})
