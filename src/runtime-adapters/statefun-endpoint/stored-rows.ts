import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Address, TypedValue } from '../statefun/protobuf.ts'
import type { Change, StateEntry, Unfinished, ValueChange } from './engine-store.ts'
import type { Delay, Egress, Message } from './message.ts'

/** The tables of the engine's file, and the way into and out of them. Addresses are JSON: `[namespace, type, id]`. */

const MESSAGE_COLUMNS = 'target TEXT NOT NULL, caller TEXT, typename TEXT NOT NULL, value BLOB, origin TEXT'

export const TABLES = `
  CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, ${MESSAGE_COLUMNS}) STRICT;
  CREATE TABLE IF NOT EXISTS delays (
    seq INTEGER PRIMARY KEY, due_ms INTEGER NOT NULL, token TEXT NOT NULL, ${MESSAGE_COLUMNS}
  ) STRICT;
  CREATE TABLE IF NOT EXISTS egresses (
    seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS state_values (
    place TEXT NOT NULL, name TEXT NOT NULL, typename TEXT NOT NULL, value BLOB, expires_at INTEGER,
    PRIMARY KEY (place, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS state_values_by_expiry ON state_values (expires_at) WHERE expires_at IS NOT NULL;
`

type Row = Record<string, SQLOutputValue>
type MessageColumns = [string, string | null, string, Uint8Array | null, string | null]

/** Writing the same change again replaces rows by themselves. */
export function createWriter(database: DatabaseSync): (change: Change) => void {
  const prepare = (sql: string) => database.prepare(sql)
  const addMessage = prepare('INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?)')
  const removeMessage = prepare('DELETE FROM messages WHERE seq = ?')
  const addDelay = prepare('INSERT OR REPLACE INTO delays VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const removeDelay = prepare('DELETE FROM delays WHERE seq = ?')
  const addEgress = prepare('INSERT OR REPLACE INTO egresses VALUES (?, ?, ?, ?)')
  const removeEgress = prepare('DELETE FROM egresses WHERE seq = ?')
  const setValue = prepare('INSERT OR REPLACE INTO state_values VALUES (?, ?, ?, ?, ?)')
  const removeValue = prepare('DELETE FROM state_values WHERE place = ? AND name = ?')

  const keepValue = ({ place, name, entry }: ValueChange) => {
    if (entry === undefined) removeValue.run(place, name)
    else setValue.run(place, name, entry.value.typename, bytesOf(entry.value), entry.expiresAtMs ?? null)
  }

  const keepDelay = ({ seq, dueMs, token, message }: Delay) => addDelay.run(seq, dueMs, token, ...columnsOf(message))

  return (change) => {
    change.addMessages?.forEach((message) => void addMessage.run(message.seq, ...columnsOf(message)))
    change.addDelays?.forEach((delay) => void keepDelay(delay))
    change.addEgresses?.forEach(({ seq, topic, key, value }) => void addEgress.run(seq, topic, key, value))
    change.values?.forEach(keepValue)
    change.removeMessages?.forEach((seq) => void removeMessage.run(seq))
    change.removeDelays?.forEach((seq) => void removeDelay.run(seq))
    change.removeEgresses?.forEach((seq) => void removeEgress.run(seq))
  }
}

export function readValues(database: DatabaseSync): (place: string) => ReadonlyMap<string, StateEntry> {
  const select = database.prepare('SELECT name, typename, value, expires_at FROM state_values WHERE place = ?')
  return (place) =>
    new Map(
      select.all(place).map((row): [string, StateEntry] => {
        const expiresAtMs = row.expires_at === null ? undefined : Number(row.expires_at)
        return [String(row.name), { value: typedValueOf(row), expiresAtMs }]
      }),
    )
}

export function readUnfinished(database: DatabaseSync): Unfinished {
  const all = (table: string) => database.prepare(`SELECT * FROM ${table} ORDER BY seq`).all()
  const messages = all('messages').map(toMessage)
  const delays = all('delays').map(
    (row): Delay => ({
      seq: Number(row.seq),
      dueMs: Number(row.due_ms),
      token: String(row.token),
      message: toMessage(row),
    }),
  )
  const egresses = all('egresses').map(
    (row): Egress => ({
      seq: Number(row.seq),
      topic: String(row.topic),
      key: bufferOf(row.key),
      value: bufferOf(row.value),
    }),
  )
  const last = [messages, delays, egresses].map((list) => list.at(-1)?.seq ?? 0)
  return { messages, delays, egresses, nextSeq: Math.max(...last) + 1 }
}

function columnsOf({ target, caller, argument, origin }: Message): MessageColumns {
  return [addressText(target), caller && addressText(caller), argument.typename, bytesOf(argument), origin ?? null]
}

function toMessage(row: Row): Message {
  return {
    seq: Number(row.seq),
    target: toAddress(String(row.target)),
    caller: row.caller === null ? null : toAddress(String(row.caller)),
    argument: typedValueOf(row),
    origin: row.origin === null ? undefined : String(row.origin),
    // The process before may have begun with it.
    isFirst: false,
  }
}

function addressText({ namespace, type, id }: Address): string {
  return JSON.stringify([namespace, type, id])
}

function toAddress(text: string): Address {
  // Only `addressText` writes this column.
  const [namespace, type, id] = JSON.parse(text) as [string, string, string]
  return { namespace, type, id }
}

function bytesOf({ hasValue, value }: TypedValue): Uint8Array | null {
  return hasValue ? value : null
}

function typedValueOf({ typename, value }: Row): TypedValue {
  return { typename: String(typename), hasValue: value !== null, value: bufferOf(value) }
}

function bufferOf(value: SQLOutputValue | undefined): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.alloc(0)
}
