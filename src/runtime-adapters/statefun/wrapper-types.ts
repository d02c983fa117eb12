import { exactInteger } from '../../entity-registry/exact-json.ts'
import { wrappers } from './protobuf.ts'

/** `io.statefun.types/*` ↔ JSON. Zero, false and the empty text have no bytes, as protobuf and the SDKs have it. */
export interface WrapperType {
  readonly schemaType: 'string' | 'boolean' | 'integer' | 'number'
  /** @returns text: why the value can’t be written */
  readonly write: (value: unknown) => Buffer | string
  /** @returns `undefined` when the bytes are no such value, or one that JSON has nothing for */
  readonly read: (bytes: Buffer) => unknown
}

export type WrapperName = 'string' | 'bool' | 'int' | 'long' | 'float' | 'double'

const INT_LIMIT = 2n ** 31n
const LONG_LIMIT = 2n ** 63n

const types: Readonly<Record<WrapperName, WrapperType>> = {
  string: {
    schemaType: 'string',
    write: (value) => wrappers.string.encode({ value: String(value) }),
    read: reading((bytes) => wrappers.string.decode(bytes).value),
  },
  bool: {
    schemaType: 'boolean',
    write: (value) => wrappers.bool.encode({ value: value === true }),
    read: reading((bytes) => wrappers.bool.decode(bytes).value),
  },
  int: {
    schemaType: 'integer',
    write: (value) => integer(value, INT_LIMIT) ?? wrappers.int.encode({ value: Number(value) }),
    read: reading((bytes) => wrappers.int.decode(bytes).value),
  },
  long: {
    schemaType: 'integer',
    write: (value) => integer(value, LONG_LIMIT) ?? wrappers.long.encode({ value: longBits(BigInt(String(value))) }),
    read: reading((bytes) => exactInteger(String(wrappers.long.decode(bytes).value))),
  },
  float: {
    schemaType: 'number',
    write: (value) => finite(Math.fround(Number(value))) ?? wrappers.float.encode({ value: Number(value) }),
    read: reading((bytes) => finiteOrNothing(wrappers.float.decode(bytes).value)),
  },
  double: {
    schemaType: 'number',
    write: (value) => finite(Number(value)) ?? wrappers.double.encode({ value: Number(value) }),
    read: reading((bytes) => finiteOrNothing(wrappers.double.decode(bytes).value)),
  },
}

export function wrapperNamed(name: WrapperName): WrapperType {
  return types[name]
}

function reading(read: (bytes: Buffer) => unknown): WrapperType['read'] {
  return (bytes) => {
    try {
      return read(bytes)
    } catch {
      return undefined
    }
  }
}

function integer(value: unknown, limit: bigint): string | undefined {
  const isInteger = typeof value === 'bigint' || Number.isInteger(value)
  const exactly = isInteger ? BigInt(Number.isInteger(value) ? Number(value) : String(value)) : limit
  return exactly >= -limit && exactly < limit
    ? undefined
    : `The argument is not an integer from ${-limit} to ${limit - 1n}.`
}

/** The form that protobufjs takes without losing a digit. */
function longBits(value: bigint): { readonly low: number; readonly high: number; readonly unsigned: boolean } {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: false }
}

function finite(value: number): string | undefined {
  return Number.isFinite(value) ? undefined : 'The argument is too large a number for its type.'
}

function finiteOrNothing(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
