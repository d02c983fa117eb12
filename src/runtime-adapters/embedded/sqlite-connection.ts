import type { DatabaseSync } from 'node:sqlite'
import { DataFolderError, openDatabase } from '../sqlite/open-database.ts'
import { StateStoreError } from './state-store.ts'

/** Raised when the tables change; a store of another version is refused. */
const STORE_VERSION = '1'

const TABLES = `
  CREATE TABLE IF NOT EXISTS shapes (entity TEXT PRIMARY KEY, shape TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS states (
    entity TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (entity, key)
  ) STRICT, WITHOUT ROWID;
`

/** Opens the database of entities' states. @throws StateStoreError */
export function openStateDatabase(folder: string): DatabaseSync {
  try {
    return openDatabase({ folder, file: 'entities.sqlite', version: STORE_VERSION, tables: TABLES })
  } catch (error) {
    if (error instanceof DataFolderError) throw new StateStoreError(error.message, { cause: error })
    throw error
  }
}
