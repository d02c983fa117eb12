import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { inTransaction } from '../../../src/runtime-adapters/sqlite/transaction.ts'

function open() {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE notes (text TEXT NOT NULL) STRICT')
  const add = (text: string | null) => void database.prepare('INSERT INTO notes VALUES (?)').run(text)
  const notes = () =>
    database
      .prepare('SELECT text FROM notes')
      .all()
      .map(({ text }) => text)
  return { database, add, notes }
}

/** As `node:sqlite` throws them; some codes are no easy thing to come by. */
function sqliteError(errcode: number): Error {
  return Object.assign(new Error('it failed'), { errcode })
}

describe('a transaction', () => {
  it.each<[string, (add: (text: string | null) => void) => void]>([
    ['can’t be made', () => JSON.parse('{')],
    ['the database refuses', (add) => add(null)],
  ])('leaves nothing of what was written before what %s, and the next one is kept', (_what, fail) => {
    const { database, add, notes } = open()
    const failed = inTransaction(database, () => {
      add('first')
      fail(add)
    })
    expect(failed).toMatchObject({ kind: 'failed' })
    expect(inTransaction(database, () => add('second'))).toEqual({ kind: 'committed' })
    expect(notes()).toEqual(['second'])
    database.close()
  })

  it.each<[string, number, boolean]>([
    ['READONLY', 8, true],
    ['READONLY_DBMOVED', 1_032, true],
    ['FULL', 13, true],
    ['TOOBIG', 18, true],
    ['BUSY', 5, true],
    ['LOCKED', 6, true],
    ['IOERR', 10, false],
    ['IOERR_FSYNC', 1_034, false],
    ['CORRUPT', 11, false],
  ])('that fails by %s is surely not kept, or may be: %i, %j', (_name, code, isCertain) => {
    const { database } = open()
    const failed = inTransaction(database, () => {
      throw sqliteError(code)
    })
    expect(failed).toEqual({ kind: 'failed', isCertain, detail: 'it failed' })
    database.close()
  })

  it('may have been kept where nobody can take it back', () => {
    const { database, add } = open()
    const failed = inTransaction(database, () => {
      add('first')
      database.close()
      throw new Error('it failed')
    })
    expect(failed).toMatchObject({ kind: 'failed', isCertain: false })
  })
})
