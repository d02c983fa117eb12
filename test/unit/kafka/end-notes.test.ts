import { describe, expect, it } from 'vitest'
import { type EndNote, noteEnd } from '../../../src/runtime-adapters/kafka/end-notes.ts'

describe('the notes of a partition that is not read', () => {
  it('begin a minute back, and keep no more than that needs', () => {
    const notes: EndNote[] = []
    const from = Array.from({ length: 20 }, (_, at) => noteEnd(notes, { atMs: at * 10_000, offset: BigInt(at) }))
    expect(from.slice(0, 8)).toEqual([...Array(6).fill(undefined), 0n, 1n])
    expect(from.at(-1)).toBe(13n)
    expect(notes).toHaveLength(7)
  })
})
