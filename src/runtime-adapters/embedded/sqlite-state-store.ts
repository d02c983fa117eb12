import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { stringifyExact } from '../../entity-registry/exact-json.ts'
import { messageOf } from '../../entity-registry/message-of.ts'
import { openDatabase } from '../sqlite/open-database.ts'
import { type CommitResult, inTransaction } from '../sqlite/transaction.ts'
import type { EntityModel } from './entity-model.ts'
import { createStateCache } from './state-cache.ts'
import { type Change, type State, type StateStore, StateStoreError } from './state-store.ts'
import { checkStoredShapes, readState } from './stored-shapes.ts'

/** Raised when the tables change; a store of another version is refused. */
const STORE_VERSION = '1'
const TABLES = `
  CREATE TABLE IF NOT EXISTS shapes (entity TEXT PRIMARY KEY, shape TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS states (
    entity TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (entity, key)
  ) STRICT, WITHOUT ROWID;
`
/** Characters of state texts whose states are kept in memory. */
const CACHE_CHARS = 32 * 1024 * 1024
/** A group is committed at the latest with so many writes, even in the middle of a tick. */
const MAX_GROUP_WRITES = 4_096

export interface SqliteStoreOptions {
  readonly folder: string
  /** Most pages of 4 KiB that the file may have; `undefined`: as many as the disk has. */
  readonly maxPages?: number
}

/** Writes of one tick, and the calls that wait for them. */
interface Group {
  readonly changes: Map<string, Change>
  readonly done: PromiseWithResolvers<CommitResult>
  readonly timer: NodeJS.Immediate
}

interface Opened {
  readonly database: DatabaseSync
  readonly select: StatementSync
  readonly upsert: StatementSync
}

/**
 * States in a folder. What the calls of one tick write is committed in one transaction before any of them is answered;
 * until then it lives in the group alone, so a commit that fails leaves no trace in memory either.
 */
export class SqliteStateStore implements StateStore {
  readonly #options: SqliteStoreOptions
  readonly #cache = createStateCache(CACHE_CHARS)
  #opened: Opened | undefined
  #group: Group | undefined
  #commits = 0
  #failedCommits = 0
  #lastFailure: string | undefined

  constructor(options: SqliteStoreOptions) {
    this.#options = options
  }

  open(models: readonly EntityModel[]): void {
    const { folder, maxPages } = this.#options
    const database = openDatabase({ folder, file: 'entities.sqlite', version: STORE_VERSION, tables: TABLES })
    try {
      checkStoredShapes(database, models)
      if (maxPages !== undefined) database.exec(`PRAGMA max_page_count=${maxPages}`)
    } catch (error) {
      database.close()
      throw error
    }
    this.#opened = {
      database,
      select: database.prepare('SELECT state FROM states WHERE entity = ? AND key = ?'),
      upsert: database.prepare(
        'INSERT INTO states VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state WHERE state <> excluded.state',
      ),
    }
  }

  read(model: EntityModel, key: string): State | undefined {
    const place = placeOf(model.name, key)
    return this.#group?.changes.get(place)?.state ?? this.#cache.get(place) ?? this.#load(model, key)
  }

  write(changes: readonly Change[]): void {
    if (changes.length === 0) return
    if (this.#group === undefined) {
      const timer = setImmediate(() => this.#commit())
      this.#group = { changes: new Map(), done: Promise.withResolvers(), timer }
    }
    for (const change of changes) this.#group.changes.set(placeOf(change.entity, change.key), change)
  }

  settled(): Promise<CommitResult> | undefined {
    const group = this.#group
    if (group === undefined) return undefined
    if (group.changes.size >= MAX_GROUP_WRITES) this.#commit()
    return group.done.promise
  }

  health(): { readonly ok: boolean; readonly detail: string } {
    if (this.#opened === undefined) return { ok: false, detail: 'the data folder is not open' }
    this.#probe()
    if (this.#lastFailure !== undefined) return { ok: false, detail: `the last commit failed: ${this.#lastFailure}` }
    return { ok: true, detail: `states are kept in ${this.#options.folder}` }
  }

  counters(): Readonly<Record<string, number>> {
    return { commits: this.#commits, failedCommits: this.#failedCommits }
  }

  close(): void {
    this.#commit()
    this.#opened?.database.close()
    this.#opened = undefined
    this.#cache.clear()
  }

  /** After a failure: whoever is told that we can't write sends no calls by which we could notice that we can again. */
  #probe(): void {
    if (this.#lastFailure === undefined) return
    try {
      this.#opened?.database.exec(`INSERT OR REPLACE INTO meta VALUES ('probe', datetime())`)
      this.#lastFailure = undefined
    } catch (error) {
      this.#lastFailure = messageOf(error)
    }
  }

  #load(model: EntityModel, key: string): State | undefined {
    if (this.#opened === undefined) throw new StateStoreError('The data folder is not open.')
    try {
      const text = this.#opened.select.get(model.name, key)?.state
      if (typeof text !== 'string') return undefined
      const state = readState(model, text)
      this.#cache.set(placeOf(model.name, key), state, text.length)
      return state
    } catch (error) {
      throw new StateStoreError(`A state could not be read: ${messageOf(error)}.`, { cause: error })
    }
  }

  #commit(): void {
    const group = this.#group
    if (group === undefined) return
    this.#group = undefined
    clearImmediate(group.timer)
    group.done.resolve(this.#store(group))
  }

  #store({ changes }: Group): CommitResult {
    if (this.#opened === undefined) return { kind: 'failed', isCertain: true, detail: 'the data folder is not open' }
    const { database, upsert } = this.#opened
    const texts = new Map<string, number>()
    const result = inTransaction(database, () => {
      for (const [place, { entity, key, state }] of changes) {
        const text = stringifyExact(state)
        upsert.run(entity, key, text)
        texts.set(place, text.length)
      }
    })
    if (result.kind === 'failed') {
      this.#failedCommits += 1
      this.#lastFailure = result.detail
      return result
    }
    for (const [place, { state }] of changes) this.#cache.set(place, state, texts.get(place) ?? 0)
    this.#commits += 1
    this.#lastFailure = undefined
    return result
  }
}

function placeOf(entity: string, key: string): string {
  return `${entity}/${key}`
}
