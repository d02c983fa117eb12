import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLogDestination, type LogDestinationOptions } from '../../../src/gateway/observability/log-destination.ts'
import { createFullPipe } from '../../helpers/full-pipe.ts'
import { runCommand } from '../../helpers/run-command.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'

const moduleFile = join(import.meta.dirname, '../../../src/gateway/observability/log-destination.ts')

async function written(lines: readonly string[], options: LogDestinationOptions = {}): Promise<readonly string[]> {
  const folder = createTemporaryFolder()
  const file = join(folder.path, 'log')
  const fd = openSync(file, 'w')
  try {
    const destination = createLogDestination({ fd, ...options })
    for (const line of lines) destination.write(`${line}\n`)
    expect(readFileSync(file, 'utf8')).toBe('')
    await destination.drained(10_000)
    return readFileSync(file, 'utf8').split('\n').slice(0, -1)
  } finally {
    closeSync(fd)
    folder.close()
  }
}

describe('the log’s destination', () => {
  it('writes every line in order, none of them while its caller waits', async () => {
    const lines = Array.from({ length: 5_000 }, (_, n) => `line ${n} ${'ü'.repeat(n % 50)}`)
    expect(await written(lines)).toEqual(lines)
  })

  it('holds so much and no more, and says how many lines were lost', async () => {
    const [first, second, lost, ...more] = await written(['1234', '5678', 'too much', 'too'], { maxWaiting: 10 })
    expect([first, second, more]).toEqual(['1234', '5678', []])
    expect(JSON.parse(lost ?? '')).toMatchObject({ level: 40, count: 2 })
  })

  it('writes every line in order in small pieces too, one that is larger than a piece included', async () => {
    const lines = Array.from({ length: 500 }, (_, n) => `line ${n} ${'ü'.repeat(n % 50)}`)
    expect(await written(lines, { maxWriteBytes: 64 })).toEqual(lines)
  })

  it('is drained at once when there is nothing to write', async () => {
    expect(await written([])).toEqual([])
  })

  it.each(['', '{ maxWriteBytes: 100 }'])('loses nothing of a process that exits by itself: %s', async (options) => {
    const script = `import { createLogDestination } from ${JSON.stringify(moduleFile)}
const destination = createLogDestination(${options})
for (let n = 0; n < 500; n++) destination.write('line ' + n + '\\n')
process.exit(0)`
    const output = await runCommand(process.execPath, ['--input-type=module', '-e', script], { timeoutMs: 20_000 })
    expect(output.trim().split('\n')).toHaveLength(500)
  })

  it('waits for a reader that has stopped no longer than it may, and writes everything once it reads again', async () => {
    const folder = createTemporaryFolder()
    const pipe = createFullPipe(folder)
    try {
      const destination = createLogDestination({ fd: pipe.fd, maxWaiting: 8 })
      for (const line of ['one\n', 'two\n', 'too much\n']) destination.write(line)
      await destination.drained(30)
      expect(pipe.read()).toBe('')
      await destination.drained(10_000)
      const [one, two, lost] = pipe.read().split('\n')
      expect([one, two]).toEqual(['one', 'two'])
      expect(JSON.parse(lost ?? '')).toMatchObject({ level: 40, count: 1 })
    } finally {
      pipe.close()
      folder.close()
    }
  })

  it('keeps its lines while its place takes nothing at all, and says how many were too many', async () => {
    const folder = createTemporaryFolder()
    const pipe = createFullPipe(folder)
    pipe.read()
    const fd = openSync(pipe.path, constants.O_WRONLY | constants.O_NONBLOCK)
    closeSync(pipe.fd)
    const destination = createLogDestination({ fd, maxWaiting: 8 })
    for (const line of ['one\n', 'two\n', 'too much\n']) destination.write(line)
    await destination.drained(30)
    const reader = openSync(pipe.path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      await destination.drained(10_000)
      const bytes = Buffer.alloc(4_096)
      const [one, two, lost] = bytes.subarray(0, readSync(reader, bytes)).toString().split('\n')
      expect([one, two]).toEqual(['one', 'two'])
      expect(JSON.parse(lost ?? '')).toMatchObject({ level: 40, count: 1 })
    } finally {
      for (const one of [fd, reader]) closeSync(one)
      folder.close()
    }
  })

  it('does not keep a process from ending whose log is not read', { timeout: 20_000 }, async () => {
    const folder = createTemporaryFolder()
    const pipe = createFullPipe(folder)
    try {
      const script = `import { openSync } from 'node:fs'
import { createLogDestination } from ${JSON.stringify(moduleFile)}
const fd = openSync(${JSON.stringify(pipe.path)}, ${constants.O_WRONLY | constants.O_NONBLOCK})
const destination = createLogDestination({ fd, maxWriteBytes: 100 })
for (let n = 0; n < 10_000; n++) destination.write('line ' + n + '\\n')
await destination.drained(50)`
      await runCommand(process.execPath, ['--input-type=module', '-e', script], { timeoutMs: 10_000 })
    } finally {
      pipe.close()
      folder.close()
    }
  })
})
