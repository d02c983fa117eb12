import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { derivedFiles } from '../../docs/write.ts'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { checkDocument } from '../../src/entity-registry/load-metadata.ts'
import type { MetadataDocument } from '../../src/entity-registry/metadata-schema.ts'
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

  const documents = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^```json\n(.*?)^```/gms)]
      .map(([, text = '']) => ({ page, text }))
      .filter(({ text }) => text.includes('"formatVersion"')),
  )

  it.each(documents)('$page shows metadata that can be checked', ({ page, text }) => {
    const document: MetadataDocument = JSON.parse(text)
    expect(checkDocument(page, document)).toEqual([])
    expect(compileEntities([{ file: page, document }])).not.toEqual([])
  })

  it('are some', () => {
    expect([pages.length, documents.length]).toEqual([expect.toSatisfy((n) => n > 20), expect.toSatisfy((n) => n > 1)])
  })

  it.each(pages)('%s is of one piece: nothing of two versions is left in it', (page) => {
    expect(readFileSync(join(root, page), 'utf8')).not.toMatch(/^(<{7}|={7}|>{7})( |$)/m)
  })

  it.each(pages)('%s names only commands that there are', (page) => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const commands = [...readFileSync(join(root, page), 'utf8').matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)]
    expect(commands.map(([, name = '']) => name).filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  it.each(pages)('%s links only to what exists', (page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(([, target = '']) => target)
    expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([])
  })
})
