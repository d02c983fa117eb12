import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { HttpAnswer } from '../../../src/routes/to-http.ts'
import { until } from '../../helpers/until.ts'
import { build, createGate, done, idOf, parse, sourceOf, tick } from './scripted-run.ts'

const LINES = 100
const large: HttpAnswer = { ...done, body: `"${'x'.repeat(100_000)}"` }
const lines = (lane: (index: number) => string) =>
  Array.from({ length: LINES }, (_, index) => `${lane(index)}:${index}\n`).join('')

/** Whatever can happen while nobody reads has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2 * LINES; turn++) await tick()
}

/** A batch of one key, whose answers are large. */
const oneLane = () =>
  build({ source: sourceOf(lines(() => 'a')), limits: { maxBytes: 1_000_000 }, answer: async () => large })

describe('answers of a batch that nobody takes', () => {
  it.each<[string, (index: number) => string]>([
    ['of one key', () => 'a'],
    ['of few keys', (index) => `${index % 4}`],
  ])('are held up to the bound of bytes, and of lines %s none is begun beyond it', async (_which, lane) => {
    const { run, calls } = build({
      source: sourceOf(lines(lane)),
      limits: { maxBytes: 1_000_000 },
      answer: async () => large,
    })
    run.answers.read(0)
    await settled()
    // Ten fill the bound, one is on its way; of four that are under way, three may come on top.
    expect(calls.length).toBeLessThanOrEqual(14)
    expect(parse(await text(run.answers))).toHaveLength(LINES)
    expect(await run.ended).toMatchObject({ lines: LINES, answered: LINES, isCut: false })
  })

  it('count by their bytes, not by their characters', async () => {
    const { run, calls } = build({
      source: sourceOf(lines(() => 'a')),
      limits: { maxBytes: 1_000_000 },
      answer: async () => ({ ...done, body: `"${'€'.repeat(100_000)}"` }),
    })
    run.answers.read(0)
    await settled()
    expect(calls.length).toBeLessThanOrEqual(5)
    run.answers.destroy()
    await run.ended
  })

  it('pass one by one where each is larger than the bound, in the order of their lane', async () => {
    const { run, calls } = build({
      source: sourceOf(lines(() => 'a')),
      limits: { maxBytes: 1_000 },
      answer: async () => large,
    })
    run.answers.read(0)
    await settled()
    expect(calls.length).toBeLessThanOrEqual(2)
    const ids = parse(await text(run.answers)).map(({ id }) => id)
    expect(ids).toEqual(Array.from({ length: LINES }, (_, index) => `a:${index}`))
  })

  it('hold up no line while there are none, however many bytes wait for their turn', async () => {
    const gate = createGate()
    const long = `a:${'x'.repeat(900)}`
    const { run, calls } = build({
      source: sourceOf(`a:1\n${long}\na:3`),
      limits: { maxBytes: 500 },
      answer: gate.answer,
    })
    const answers = text(run.answers)
    for (const [index, id] of ['a:1', long, 'a:3'].entries()) {
      await until('one more call', () => calls.length === index + 1)
      gate.let(id)
    }
    expect(parse(await answers)).toHaveLength(3)
  })

  it('are dropped with what they held up when the caller goes', async () => {
    const { run, calls } = oneLane()
    run.answers.read(0)
    await settled()
    const begun = calls.length
    run.answers.destroy()
    expect(await run.ended).toMatchObject({ lines: LINES, dropped: LINES - begun })
    await settled()
    expect(calls).toHaveLength(begun)
  })

  it('have what they held up refused while the gateway stops, and are all given out', async () => {
    const { run, calls } = oneLane()
    run.answers.read(0)
    await settled()
    run.drain()
    const answers = parse(await text(run.answers))
    expect(answers.map(({ status }) => status)).toEqual(
      Array.from({ length: LINES }, (_, index) => (index < calls.length ? 200 : 503)),
    )
    expect(await run.ended).toMatchObject({ answered: LINES, isCut: false })
  })

  it('go out in pieces, each of which is one answer or has a bounded length', async () => {
    const { run } = build({
      source: sourceOf(lines((index) => `${index}`)),
      answer: async (call) => ({ ...done, body: `"${'x'.repeat(idOf(call) === '50:50' ? 100_000 : 3_000)}"` }),
    })
    const pieces: string[] = []
    run.answers.on('data', (piece) => pieces.push(String(piece)))
    await run.ended
    expect(parse(pieces.join(''))).toHaveLength(LINES)
    expect(pieces.filter((piece) => piece.length > 65_536).map((piece) => parse(piece).length)).toEqual([1])
    expect(pieces.length).toBeLessThan(10)
  })
})
