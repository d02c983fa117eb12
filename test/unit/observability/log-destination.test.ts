import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLogDestination, type LogDestinationOptions } from '../../../src/gateway/observability/log-destination.ts'
import { runCommand } from '../../helpers/run-command.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'

async function written(lines: readonly string[], options: LogDestinationOptions = {}): Promise<readonly string[]> {
  const folder = createTemporaryFolder()
  const file = join(folder.path, 'log')
  const fd = openSync(file, 'w')
  try {
    const destination = createLogDestination({ fd, ...options })
    for (const line of lines) destination.write(`${line}\n`)
    expect(readFileSync(file, 'utf8')).toBe('')
    await destination.drained()
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
    const module = join(import.meta.dirname, '../../../src/gateway/observability/log-destination.ts')
    const script = `import { createLogDestination } from ${JSON.stringify(module)}
const destination = createLogDestination(${options})
for (let n = 0; n < 500; n++) destination.write('line ' + n + '\\n')
process.exit(0)`
    const output = await runCommand(process.execPath, ['--input-type=module', '-e', script], { timeoutMs: 20_000 })
    expect(output.trim().split('\n')).toHaveLength(500)
  })
})
