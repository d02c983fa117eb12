import type { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../entity-registry/message-of.ts'
import { sqliteCode } from './open-database.ts'

/** What became of a group of changes: all of them together, or none. */
export type CommitResult =
  | { readonly kind: 'committed' }
  /** `isCertain`: surely none of them is in the store, nor will be after a restart. */
  | { readonly kind: 'failed'; readonly isCertain: boolean; readonly detail: string }

/** READONLY, FULL, TOOBIG, BUSY, LOCKED: nothing was written. After an I/O error nobody can say what the disk kept. */
const CERTAIN_CODES = [8, 13, 18, 5, 6]

/** Runs `work` in one transaction. Never throws. */
export function inTransaction(database: DatabaseSync, work: () => void): CommitResult {
  try {
    database.exec('BEGIN IMMEDIATE')
    work()
    database.exec('COMMIT')
    return { kind: 'committed' }
  } catch (error) {
    return takeBack(database, error)
  }
}

function takeBack(database: DatabaseSync, error: unknown): CommitResult {
  try {
    if (database.isTransaction) database.exec('ROLLBACK')
  } catch (rollback) {
    return { kind: 'failed', isCertain: false, detail: messageOf(rollback) }
  }
  // Not an error of SQLite: what was to be written could not be made, so nothing was sent to the disk.
  const code = sqliteCode(error)
  return { kind: 'failed', isCertain: code === 0 || CERTAIN_CODES.includes(code), detail: messageOf(error) }
}
