import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { DataFolderError, openDatabase } from '../../../src/runtime-adapters/sqlite/open-database.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'

const root = createTemporaryFolder()
afterAll(() => root.close())

const open = (folder: string, version = '1') => openDatabase({ folder, file: 'test.sqlite', version, tables: '' })

describe('a data folder', () => {
  it('is made where it is not there, with the folders above it', () => {
    expect(() => open(join(root.path, 'a', 'b')).close()).not.toThrow()
  })

  it('is not held by who was refused: it opens for the version that it is of', () => {
    const folder = join(root.path, 'versions')
    open(folder, '2').close()
    expect(() => open(folder, '1')).toThrow('is of version 2; this program reads version 1')
    expect(() => open(folder, '2').close()).not.toThrow()
  })

  it.each([
    ['a file', () => root.write('file', 'x')],
    ['what holds no database', () => join(root.write(join('odd', 'test.sqlite'), 'no database'), '..')],
  ])('is refused in words for an operator where it is %s', (_what, make) => {
    const folder = make()
    expect(() => open(folder)).toThrow(DataFolderError)
    expect(() => open(folder)).toThrow(`The data folder ${folder} can’t be opened: `)
  })
})
