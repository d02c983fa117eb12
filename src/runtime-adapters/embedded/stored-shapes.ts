import type { DatabaseSync } from 'node:sqlite'
import { parseExact, stringifyExact } from '../../entity-registry/exact-json.ts'
import { messageOf } from '../../entity-registry/message-of.ts'
import type { Key } from '../contract.ts'
import { keyText, showKey } from './entity-key.ts'
import { acceptState, completeState, type EntityModel, shapeOf } from './entity-model.ts'
import { ownMember } from './own-member.ts'
import { type State, StateStoreError } from './state-store.ts'
import { WrongTypeError } from './value-type.ts'

const MAX_PROBLEMS = 5

/**
 * Entities change between two starts. Where a definition is not the one that the stored states were written by, each of
 * its states is read once: it must fit, where new attributes have a `default`. Attributes that are gone are kept in the
 * store until the entity's next write and shown to nobody.
 * @throws StateStoreError that names the first states that don't fit
 */
export function checkStoredShapes(database: DatabaseSync, models: readonly EntityModel[]): void {
  const known = database.prepare('SELECT shape FROM shapes WHERE entity = ?')
  const keep = database.prepare('INSERT INTO shapes VALUES (?, ?) ON CONFLICT DO UPDATE SET shape = excluded.shape')
  const problems: string[] = []
  const changed = models.filter((model) => known.get(model.name)?.shape !== shapeText(model))
  for (const model of changed) problems.push(...misfits(database, model, MAX_PROBLEMS - problems.length))
  if (problems.length > 0) {
    throw new StateStoreError(
      `Stored states do not fit the entities’ definitions. Give new attributes a default, keep the key, or use another data folder.\n${problems.join('\n')}`,
    )
  }
  for (const model of changed) keep.run(model.name, shapeText(model))
}

function misfits(database: DatabaseSync, model: EntityModel, limit: number): readonly string[] {
  const problems: string[] = []
  const rows = database.prepare('SELECT key, state FROM states WHERE entity = ?').iterate(model.name)
  for (const { key, state } of rows) {
    if (problems.length >= limit) break
    try {
      checkKey(model, String(key), acceptState(model, readState(model, String(state))))
    } catch (error) {
      problems.push(`${model.name} ${String(key).slice(1)}: ${messageOf(error)}`)
    }
  }
  return problems
}

/** The key may have become another attribute. */
function checkKey(model: EntityModel, stored: string, state: State): void {
  const key = ownMember(state, model.key)
  // `acceptState` has checked that the key has its type.
  if (keyText(key as Key) === stored) return
  throw new WrongTypeError(`it was stored under this key, but ${model.name}.${model.key} is ${showKey(key as Key)}.`)
}

/** A stored text as a state of today's definition. */
export function readState(model: EntityModel, text: string): State {
  // Only `acceptState` makes what is stored.
  const stored = parseExact(text) as State
  const isCurrent = Object.keys(stored).every((name) => model.attributes.has(name))
  const state = isCurrent
    ? stored
    : Object.fromEntries(Object.entries(stored).filter(([name]) => model.attributes.has(name)))
  return completeState(model, state)
}

function shapeText(model: EntityModel): string {
  return stringifyExact(shapeOf(model))
}
