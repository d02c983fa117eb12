import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const tests = globSync('test/**/*.ts', { cwd: root })
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n')
const rows = readFileSync(join(root, 'docs/security.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'))
const table = rows.slice(rows.findIndex((row) => row.startsWith('| rule |')) + 2)

describe('docs/security.md', () => {
  it('has a test for each rule', () => {
    expect(table.length).toBeGreaterThan(30)
    for (const row of table) expect(row).toMatch(/\| `[^`]+`(, `[^`]+`)* \|$/)
  })

  it.each(table)('names tests that there are: %s', (row) => {
    const [, , names = ''] = row.split(/(?<!\\)\|/)
    for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) expect(tests, name).toContain(`'${name}'`)
  })
})
