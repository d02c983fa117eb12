import type { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../entity-registry/message-of.ts'
import { openDatabase } from '../sqlite/open-database.ts'
import { type CommitResult, inTransaction } from '../sqlite/transaction.ts'
import type { Change, EngineStore, StateEntry, Unfinished } from './engine-store.ts'
import { createWriter, readUnfinished, readValues, TABLES } from './stored-rows.ts'

/** Raised when the tables change. */
const STORE_VERSION = '1'
/** A group is committed at the latest with so many changes, even in the middle of a tick. */
const MAX_GROUP_CHANGES = 1_024

export interface SqliteEngineStoreOptions {
  readonly folder: string
  /** Most pages of 4 KiB that the file may have; `undefined`: as many as the disk has. */
  readonly maxPages?: number
}

/** Changes of one tick, and those who wait for them. */
interface Group {
  readonly writes: { readonly change: Change; readonly done: PromiseWithResolvers<CommitResult> }[]
  readonly timer: NodeJS.Immediate
}

interface Opened {
  readonly database: DatabaseSync
  readonly write: (change: Change) => void
  readonly values: (place: string) => ReadonlyMap<string, StateEntry>
}

/** Everything in one file. What is written in one tick is one transaction, synced to the disk once. */
export class SqliteEngineStore implements EngineStore {
  readonly #options: SqliteEngineStoreOptions
  #opened: Opened | undefined
  #group: Group | undefined
  #commits = 0
  #failedCommits = 0
  #lastFailure: string | undefined

  constructor(options: SqliteEngineStoreOptions) {
    this.#options = options
  }

  open(): Unfinished {
    const { folder, maxPages } = this.#options
    const database = openDatabase({ folder, file: 'functions.sqlite', version: STORE_VERSION, tables: TABLES })
    if (maxPages !== undefined) database.exec(`PRAGMA max_page_count=${maxPages}`)
    this.#opened = { database, write: createWriter(database), values: readValues(database) }
    return readUnfinished(database)
  }

  values(place: string): ReadonlyMap<string, StateEntry> {
    if (this.#opened === undefined) throw new Error('the data folder is not open')
    return this.#opened.values(place)
  }

  write(change: Change): Promise<CommitResult> {
    this.#group ??= {
      writes: [],
      timer: setImmediate(() => this.#commit()),
    }
    const { writes } = this.#group
    const done = Promise.withResolvers<CommitResult>()
    writes.push({ change, done })
    if (writes.length >= MAX_GROUP_CHANGES) this.#commit()
    return done.promise
  }

  dropExpired(nowMs: number): void {
    const { database } = this.#opened ?? {}
    if (database === undefined) return
    const result = inTransaction(database, () => {
      database.prepare('DELETE FROM state_values WHERE expires_at <= ?').run(nowMs)
    })
    if (result.kind === 'failed') this.#lastFailure = result.detail
  }

  health(): { readonly ok: boolean; readonly detail: string } {
    if (this.#opened === undefined) return { ok: false, detail: 'the data folder is not open' }
    this.#probe(this.#opened)
    if (this.#lastFailure !== undefined) return { ok: false, detail: `the last commit failed: ${this.#lastFailure}` }
    return { ok: true, detail: `states and messages are kept in ${this.#options.folder}` }
  }

  counters(): Readonly<Record<string, number>> {
    return { commits: this.#commits, failedCommits: this.#failedCommits }
  }

  close(): void {
    this.#commit()
    this.#opened?.database.close()
    this.#opened = undefined
  }

  /** After a failure: whoever is told that we can't write sends no calls by which we could notice that we can again. */
  #probe({ database }: Opened): void {
    if (this.#lastFailure === undefined) return
    try {
      database.exec(`INSERT OR REPLACE INTO meta VALUES ('probe', datetime())`)
      this.#lastFailure = undefined
    } catch (error) {
      this.#lastFailure = messageOf(error)
    }
  }

  #commit(): void {
    const group = this.#group
    if (group === undefined) return
    this.#group = undefined
    clearImmediate(group.timer)
    const { writes } = group
    const whole = this.#store(writes.map(({ change }) => change))
    // What can't be written must not hold up what was to be written with it.
    const isMixed = whole.kind === 'failed' && whole.isCertain && writes.length > 1
    for (const { change, done } of writes) done.resolve(isMixed ? this.#store([change]) : whole)
  }

  #store(changes: readonly Change[]): CommitResult {
    const opened = this.#opened
    if (opened === undefined) return { kind: 'failed', isCertain: true, detail: 'the data folder is not open' }
    const result = inTransaction(opened.database, () => {
      for (const change of changes) opened.write(change)
    })
    if (result.kind === 'committed') this.#commits += 1
    else this.#failedCommits += 1
    this.#lastFailure = result.kind === 'committed' ? undefined : result.detail
    return result
  }
}
