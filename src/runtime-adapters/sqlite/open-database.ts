import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../entity-registry/message-of.ts'

/**
 * `synchronous=FULL`: a commit is on the disk before it is answered, so it survives a crash of the machine and a loss of
 * power. NORMAL would survive `kill -9` only (the file cache belongs to the system), and loses the last commits with the
 * machine; it is 30 times faster a commit, which the commits in groups make up for.
 *
 * `locking_mode=EXCLUSIVE`: the file stays locked from the first write until the process ends, however it ends.
 */
const PRAGMAS = 'PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;'

const META = 'CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;'

/** SQLITE_BUSY and SQLITE_LOCKED, see https://www.sqlite.org/rescode.html */
const LOCKED = [5, 6]

/** The folder can't be used. Its message is written for an operator. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
}

export interface DatabaseOptions {
  readonly folder: string
  readonly file: string
  /** Raised when the tables change; a file of another version is refused. */
  readonly version: string
  /** `CREATE TABLE IF NOT EXISTS …`; the table `meta` is there already. */
  readonly tables: string
}

/** Opens the folder's database and holds its lock. @throws DataFolderError */
export function openDatabase({ folder, file, version, tables }: DatabaseOptions): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true })
    database = new DatabaseSync(join(folder, file), { timeout: 0 })
    database.exec(PRAGMAS)
    database.exec(`BEGIN IMMEDIATE; ${META} ${tables}`)
    database.prepare(`INSERT OR IGNORE INTO meta VALUES ('version', ?)`).run(version)
    const found = database.prepare(`SELECT value FROM meta WHERE name = 'version'`).get()?.value
    if (found !== version) {
      throw new DataFolderError(
        `The data folder ${folder} is of version ${String(found)}; this program reads version ${version}.`,
      )
    }
    database.exec('COMMIT')
    return database
  } catch (error) {
    database?.close()
    if (error instanceof DataFolderError) throw error
    if (LOCKED.includes(sqliteCode(error))) {
      throw new DataFolderError(`The data folder ${folder} is in use by another process.`, { cause: error })
    }
    throw new DataFolderError(`The data folder ${folder} can’t be opened: ${messageOf(error)}.`, { cause: error })
  }
}

/** SQLite's primary result code; 0 for every other error. */
export function sqliteCode(error: unknown): number {
  // `errcode` is what node:sqlite gives its errors; extended codes keep the primary one in their low byte.
  const code = error instanceof Error ? (error as { errcode?: unknown }).errcode : undefined
  return typeof code === 'number' ? code & 0xff : 0
}
