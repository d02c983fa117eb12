import { describe, expect, it } from 'vitest'
import { type BatchLine, createLineSplitter } from '../../../src/routes/batch-lines.ts'

function seen(line: BatchLine): string {
  return `${line.number} ${line.kind === 'whole' ? line.bytes.toString() : line.kind}`
}

function split(text: string, chunkBytes: number, maxLineBytes = 100): readonly string[] {
  const splitter = createLineSplitter(maxLineBytes)
  const bytes = Buffer.from(text)
  const lines: string[] = []
  const drain = () => {
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(seen(line))
  }
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    splitter.feed(bytes.subarray(at, at + chunkBytes))
    drain()
  }
  splitter.end()
  drain()
  return lines
}

describe('the lines of a batch', () => {
  const sizes = [1, 2, 3, 5, 7, 64, 1_000]

  it.each(sizes)('are the same however the bytes arrive: %d at a time', (size) => {
    expect(split('{"a":1}\n\n  \r\n{"b":"ä€😀"}\r\nlast', size)).toEqual(['1 {"a":1}', '4 {"b":"ä€😀"}\r', '5 last'])
  })

  it.each(sizes)('may be as long as the limit and no longer: %d bytes at a time', (size) => {
    const text = `${'a'.repeat(10)}\n${'b'.repeat(11)}\nc\n${'d'.repeat(1_000)}\n${'e'.repeat(11)}`
    expect(split(text, size, 10)).toEqual(['1 aaaaaaaaaa', '2 too-long', '3 c', '4 too-long', '5 too-long'])
  })

  it.each(['', '\n', '\n\n \t\r\n'])('are none in %j', (text) => {
    expect(split(text, 1)).toEqual([])
  })

  it('are given out one at a time, and the next one has a number before it is there', () => {
    const splitter = createLineSplitter(100)
    splitter.feed(Buffer.from('a\nb\nhal'))
    expect(splitter.nextNumber).toBe(1)
    expect(splitter.next()).toMatchObject({ number: 1 })
    splitter.feed(Buffer.from('f\n'))
    expect(splitter.next()).toMatchObject({ number: 2 })
    expect(splitter.nextNumber).toBe(3)
    expect(splitter.next()).toMatchObject({ number: 3, bytes: Buffer.from('half') })
    expect(splitter.next()).toBeUndefined()
  })

  it.each<[string, boolean]>([
    ['', true],
    ['a\n', true],
    ['a\n\n \r\n\t', true],
    ['a\nb', false],
    ['a\n\n{}\n', false],
  ])('are told to be at their end, or not, after the first of %j: %j', (text, isEmpty) => {
    const splitter = createLineSplitter(100)
    splitter.feed(Buffer.from(text))
    splitter.next()
    expect(splitter.isEmpty).toBe(isEmpty)
  })

  it('are not at their end within one that is too long already', () => {
    const splitter = createLineSplitter(10)
    splitter.feed(Buffer.from('x'.repeat(11)))
    expect(splitter.next()).toBeUndefined()
    expect(splitter.isEmpty).toBe(false)
  })

  it('are at their end until more than white space has come of the next one', () => {
    const splitter = createLineSplitter(100)
    splitter.feed(Buffer.from('  '))
    splitter.next()
    expect(splitter.isEmpty).toBe(true)
    splitter.feed(Buffer.from('{'))
    splitter.next()
    expect(splitter.isEmpty).toBe(false)
  })
})
