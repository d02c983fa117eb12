import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StateStoreError } from './state-store.ts'

/** Raised when the tables change; a store of another version is refused. */
const STORE_VERSION = '1'

/**
 * `synchronous=FULL`: a commit is on the disk before it is answered, so it survives a crash of the machine and a loss of
 * power. NORMAL would survive `kill -9` only (the file cache belongs to the system), and loses the last commits with the
 * machine; it is 30 times faster a commit, which the commits in groups make up for.
 *
 * `locking_mode=EXCLUSIVE`: the file stays locked from the first write until the process ends, however it ends.
 */
const PRAGMAS = 'PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;'

const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS shapes (entity TEXT PRIMARY KEY, shape TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS states (
    entity TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (entity, key)
  ) STRICT, WITHOUT ROWID;
`

/** SQLITE_BUSY and SQLITE_LOCKED, see https://www.sqlite.org/rescode.html */
const LOCKED = [5, 6]

/** Opens the folder's database and holds its lock. @throws StateStoreError */
export function openDatabase(folder: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true })
    database = new DatabaseSync(join(folder, 'entities.sqlite'), { timeout: 0 })
    database.exec(PRAGMAS)
    database.exec(`BEGIN IMMEDIATE; ${TABLES}`)
    database.exec(`INSERT OR IGNORE INTO meta VALUES ('version', '${STORE_VERSION}')`)
    const version = database.prepare(`SELECT value FROM meta WHERE name = 'version'`).get()?.value
    if (version !== STORE_VERSION) {
      throw new StateStoreError(
        `The data folder ${folder} is of version ${String(version)}; this program reads version ${STORE_VERSION}.`,
      )
    }
    database.exec('COMMIT')
    return database
  } catch (error) {
    database?.close()
    if (error instanceof StateStoreError) throw error
    if (LOCKED.includes(sqliteCode(error))) {
      throw new StateStoreError(`The data folder ${folder} is in use by another process.`, { cause: error })
    }
    throw new StateStoreError(`The data folder ${folder} can’t be opened: ${messageOf(error)}.`, { cause: error })
  }
}

/** SQLite's primary result code; 0 for every other error. */
export function sqliteCode(error: unknown): number {
  // `errcode` is what node:sqlite gives its errors; extended codes keep the primary one in their low byte.
  const code = error instanceof Error ? (error as { errcode?: unknown }).errcode : undefined
  return typeof code === 'number' ? code & 0xff : 0
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
