import { type TSchema, type TUnsafe, Type } from 'typebox'
import type { Key } from '../contract.ts'

/** Types that TypeBox lacks: both are JSON Schema with a TypeScript type of their own. */

/**
 * An integer of 64 bits. It is a `bigint` wherever an entity sees it, however small, so that arithmetic never loses
 * digits; callers send and get a JSON number. A plain `Type.Integer()` ends at 2^53 - 1.
 */
export function Int64(options: TSchema = {}): TUnsafe<bigint> {
  return Type.Unsafe<bigint>({ ...options, type: 'integer', format: 'int64' })
}

/** A reference to an entity: its key. The name may be that of an entity that is defined later, or of this one. */
export function entityRef<K extends Key = string>(entity: string, options: TSchema = {}): TUnsafe<K> {
  return Type.Unsafe<K>({ ...options, entity })
}
