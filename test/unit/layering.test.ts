import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const src = join(import.meta.dirname, '../../src')
/** Each room may import from itself and from those before it. */
const rooms = ['entity-registry', 'runtime-adapters', 'routes', 'gateway']

interface Import {
  readonly file: string
  readonly specifier: string
}

const imports: readonly Import[] = globSync('**/*.{ts,mjs}', { cwd: src }).flatMap((file) =>
  [...readFileSync(join(src, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, specifier = '']) => ({ file, specifier }),
  ),
)

function roomOf(file: string): number {
  return rooms.indexOf(file.split('/')[0] ?? '')
}

describe('the four rooms', () => {
  it('hold every source file', () => {
    expect(imports.length).toBeGreaterThan(50)
    expect(imports.filter(({ file }) => roomOf(file) < 0)).toEqual([])
  })

  it('import only from themselves and from rooms to their left', () => {
    const wrong = imports.filter(({ file, specifier }) => {
      if (!specifier.startsWith('.')) return false
      const target = relative(src, join(src, dirname(file), specifier))
      return !target.startsWith('..') && roomOf(target) > roomOf(file)
    })
    expect(wrong).toEqual([])
  })

  it('keep runtimes apart: an adapter imports no other adapter', () => {
    const shared = ['contract.ts', 'kafka', 'sqlite']
    // Whatever is spoken to functions on a cluster is spoken to them without one.
    const dialectsOf = new Map([['statefun-endpoint', ['statefun', 'stateflow']]])
    const wrong = imports.filter(({ file, specifier }) => {
      const [room, adapter = ''] = file.split('/')
      if (room !== 'runtime-adapters' || !specifier.startsWith('.') || adapter === 'catalog.ts') return false
      const [targetRoom, target = ''] = relative(src, join(src, dirname(file), specifier)).split('/')
      const open = [adapter, ...shared, ...(dialectsOf.get(adapter) ?? [])]
      return targetRoom === 'runtime-adapters' && !open.includes(target)
    })
    expect(wrong).toEqual([])
  })

  it.each([
    ['kafkajs', ['runtime-adapters/kafka/kafkajs-']],
    ['@platformatic/kafka', ['runtime-adapters/kafka/platformatic-']],
    ['node:sqlite', ['runtime-adapters/sqlite/', 'runtime-adapters/embedded/', 'runtime-adapters/statefun-endpoint/']],
    ['ioredis', ['gateway/invocations/redis-client.ts']],
  ])('let only one place import %s', (client, places) => {
    const importers = [...new Set(imports.filter(({ specifier }) => specifier === client).map(({ file }) => file))]
    expect(importers.length).toBeGreaterThan(0)
    expect(importers.filter((file) => !places.some((place) => file.startsWith(place)))).toEqual([])
  })

  it('keep Fastify and the runtimes’ clients out of the registry', () => {
    const allowed = /^(\.|node:|ajv|typebox|secure-json-parse)/
    const wrong = imports.filter(({ file, specifier }) => roomOf(file) === 0 && !allowed.test(specifier))
    expect(wrong).toEqual([])
  })

  it('keep Kafka out of the routes', () => {
    const wrong = imports.filter(({ file, specifier }) => roomOf(file) === 2 && /kafka/.test(specifier))
    expect(wrong).toEqual([])
  })
})
