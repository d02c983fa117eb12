import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { derivedFiles } from '../../docs/write.ts'
import { settingList } from '../../src/gateway/config.ts'
import { problemKinds } from '../../src/routes/problem-codes.ts'

const root = join(import.meta.dirname, '../..')
const derived = await derivedFiles()

describe('what is written from the code', () => {
  it.each([...derived.keys()])('%s is up to date', (path) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(derived.get(path))
  })

  it('has each problem and each setting, and no others', () => {
    const errors = readFileSync(join(root, 'docs/errors.md'), 'utf8')
    const described = [...errors.matchAll(/^## `(\w+)`/gm)].map(([, code]) => code)
    expect(described.sort()).toEqual(Object.keys(problemKinds).sort())
    const configuration = readFileSync(join(root, 'docs/configuration.md'), 'utf8')
    const listed = [...configuration.matchAll(/^\| `([\w.]+)`/gm)].map(([, path]) => path)
    expect(listed).toEqual(settingList.map(({ path }) => path))
  })
})

describe('the pages', () => {
  const pages = globSync('{*.md,docs/**/*.md,examples/**/*.md,exporters/**/*.md,bench/*.md}', {
    cwd: root,
    exclude: (name) => name.includes('node_modules'),
  })

  it.each(pages)('%s links only to what exists', (page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(([, target = '']) => target)
    expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([])
  })
})
