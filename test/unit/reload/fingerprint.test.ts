import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { fingerprint } from '../../../src/gateway/reload/fingerprint.ts'
import { emitSchema } from '../../../src/runtime-adapters/embedded/emit-schema.ts'
import { Int64 } from '../../../src/runtime-adapters/embedded/schema-types.ts'
import { amountOf, buying, compile } from './shop-metadata.ts'

describe('the fingerprint of entities', () => {
  it('tells every digit of integers that a double can’t hold', () => {
    const of = (amount: bigint) => fingerprint(compile([buying({ examples: [{ amount }] })]))
    expect(of(2n ** 60n + 1n)).toBe(of(2n ** 60n + 1n))
    expect(of(2n ** 60n + 1n)).not.toBe(of(2n ** 60n))
  })

  it('is that of bounds of any size', () => {
    const schema = emitSchema(Type.Array(Int64({ maximum: 2n ** 62n, default: 2n ** 60n + 1n })))
    expect(fingerprint(compile([amountOf(schema)]))).toBe(fingerprint(compile([amountOf(schema)])))
  })
})
