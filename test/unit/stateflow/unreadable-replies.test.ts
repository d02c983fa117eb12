import { describe, expect, it } from 'vitest'
import { createStateflowDialect } from '../../../src/runtime-adapters/stateflow/dialect.ts'
import { demoEntities, goldenSamples, invocationOf, received } from './entities.ts'

const OUTCOMES = new Set(['returned', 'created', 'rejected', 'raised', 'malformed'])

/** Reproducible bytes (xorshift32). */
function randomBytes(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  }
}

describe.each(['pickle', 'json'] as const)('unreadable replies in %s', (serializer) => {
  const dialect = createStateflowDialect({ serializer, entities: demoEntities })
  const samples = goldenSamples(serializer)
    .filter(({ call }) => call.kind !== 'ping')
    .map(({ call, id, reply }) => ({
      invocation: invocationOf(call, id),
      bytes: Buffer.from(reply.valueBase64, 'base64'),
    }))

  it('are malformed at every length short of their end', () => {
    for (const { invocation, bytes } of samples) {
      const kinds = Array.from(bytes, (_, end) => dialect.decode(received(bytes.subarray(0, end)), invocation).kind)
      expect(new Set(kinds)).toEqual(new Set(['malformed']))
    }
  })

  it('are an outcome and never an exception, whichever bit is turned', () => {
    const kinds = new Set<string>()
    for (const { invocation, bytes } of samples) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const turned = Buffer.from(bytes)
        turned.writeUInt8(turned.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        kinds.add(dialect.decode(received(turned), invocation).kind)
        dialect.correlationOf(received(turned))
      }
    }
    expect(kinds.difference(OUTCOMES)).toEqual(new Set())
    expect(kinds).toContain('malformed')
  })

  it('are malformed when something follows their end', () => {
    for (const { invocation, bytes } of samples) {
      const longer = Buffer.concat([bytes, Buffer.from('}.')])
      expect(dialect.decode(received(longer), invocation).kind).toBe('malformed')
    }
  })

  it('are malformed when they are noise, with a pickle’s beginning or without', () => {
    const next = randomBytes(7)
    const [{ invocation } = { invocation: undefined }] = samples
    for (let round = 0; round < 4_000; round++) {
      const noise = Buffer.from(Array.from({ length: next() }, next))
      const bytes = round % 2 === 0 ? noise : Buffer.concat([Buffer.from([0x80, 4]), noise])
      if (invocation !== undefined) expect(dialect.decode(received(bytes), invocation).kind).toBe('malformed')
      expect(dialect.isPong(received(bytes))).toBe(false)
      expect(dialect.correlationOf(received(bytes))).toBeUndefined()
    }
  })

  it('are malformed when they belong to another call, or are empty', () => {
    const [first, second] = samples
    if (first === undefined || second === undefined) throw new Error('There are no samples.')
    expect(dialect.decode(received(second.bytes), first.invocation)).toEqual({
      kind: 'malformed',
      detail: 'The reply belongs to another call.',
    })
    expect(dialect.decode(received(Buffer.alloc(0)), first.invocation).kind).toBe('malformed')
  })

  it('say so when the runtime uses the other serializer', () => {
    const other = goldenSamples(serializer === 'pickle' ? 'json' : 'pickle')[1]
    const [{ invocation } = { invocation: undefined }] = samples
    if (other === undefined || invocation === undefined) throw new Error('There are no samples.')
    const outcome = dialect.decode(received(Buffer.from(other.reply.valueBase64, 'base64')), invocation)
    expect(outcome).toMatchObject({ kind: 'malformed', detail: expect.stringContaining('does not answer in') })
  })
})
