import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkDocument, loadMetadata } from '../../../src/entity-registry/load-metadata.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'

let folder: TemporaryFolder
beforeAll(() => {
  folder = createTemporaryFolder()
})
afterAll(() => folder.close())

describe('a metadata file', () => {
  it('that is nested very deeply is refused by its name', () => {
    const file = folder.write('deep.json', `${'{"items":'.repeat(20_000)}1${'}'.repeat(20_000)}`)
    expect(() => loadMetadata([file])).toThrow(`${file}: nested more than 200 deep.`)
  })
})

describe('an attribute’s name', () => {
  it.each(['*', 'a/b', '..', 'a b', ''])('becomes a route, so it is not "%s"', (name) => {
    const key = { name: 'id', schema: { type: 'string' } }
    const entity = { name: 'User', key, state: { [name]: { type: 'string' } }, methods: [] }
    const [problem, ...more] = checkDocument('a.json', { formatVersion: 1, application: 'a', entities: [entity] })
    expect(more).toEqual([])
    expect(problem?.pointer).toBe(`/entities/0/state/${name.replace('/', '~1')}`)
    expect(problem?.message).toMatch(/must match pattern/)
  })
})
