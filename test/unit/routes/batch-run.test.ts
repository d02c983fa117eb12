import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { BatchRun } from '../../../src/routes/batch-run.ts'
import { ProblemError } from '../../../src/routes/problem.ts'
import type { HttpAnswer } from '../../../src/routes/to-http.ts'
import { until } from '../../helpers/until.ts'
import { build, createGate, done, idOf, parse, sourceOf, tick } from './scripted-run.ts'

describe('a batch', () => {
  it('answers in the order of completion, refusals among them, and ends when all is answered', async () => {
    const gate = createGate()
    const { run, calls } = build({ source: sourceOf('a:1\nb:1\n!\na:2'), answer: gate.answer })
    const answers = text(run.answers)
    await until('two calls', () => calls.length === 2)
    gate.let('b:1')
    await tick()
    gate.let('a:1')
    await until('the third call', () => calls.length === 3)
    gate.let('a:2')
    expect(parse(await answers)).toMatchObject([{ line: 3, status: 400 }, { id: 'b:1' }, { id: 'a:1' }, { id: 'a:2' }])
    expect(await run.ended).toEqual({ lines: 4, answered: 4, dropped: 0, maxHeld: 4, isCut: false })
  })

  it('holds no more lines than allowed, however many there are', async () => {
    let underWay = 0
    let mostUnderWay = 0
    let read = 0
    let written = 0
    const lineCount = 100_000
    const source = Readable.from(
      (function* () {
        for (let at = 0; at < lineCount; at += 100) {
          // Of what was read, all but the lines held, one chunk and what a stream reads ahead is answered.
          expect(read - written).toBeLessThanOrEqual(50 + 100 * 20)
          read += 100
          yield Buffer.from(
            Array.from({ length: 100 }, (_, index) => `${(at + index) % 1_000}:${at + index}\n`).join(''),
          )
        }
      })(),
    )
    const { run } = build({
      source,
      limits: { maxLines: 50 },
      async answer() {
        mostUnderWay = Math.max(mostUnderWay, ++underWay)
        if (read % 700 === 0) await tick()
        underWay--
        return done
      },
    })
    for await (const chunk of run.answers) written += String(chunk).split('\n').length - 1
    expect(await run.ended).toMatchObject({ lines: lineCount, answered: lineCount, maxHeld: 50 })
    expect([mostUnderWay <= 50, underWay, written]).toEqual([true, 0, lineCount])
  })

  it('holds no more bytes than allowed, but always one line', async () => {
    const gate = createGate()
    const lines = ['a', 'b', 'c'].map((lane) => `${lane}:${'x'.repeat(58)}`)
    const { run, calls } = build({
      source: sourceOf(lines.join('\n')),
      limits: { maxBytes: 50 },
      answer: gate.answer,
    })
    const answers = text(run.answers)
    for (const [index, line] of lines.entries()) {
      await until('one more call', () => calls.length === index + 1)
      gate.let(line)
    }
    expect(parse(await answers)).toHaveLength(3)
    expect(await run.ended).toMatchObject({ maxHeld: 1 })
  })

  it('reads nothing while nobody takes its answers', async () => {
    const source = new PassThrough()
    const { run, calls } = build({ source, answer: async () => ({ ...done, body: `"${'x'.repeat(10_000)}"` }) })
    run.answers.read(0)
    const send = () => source.write(Array.from({ length: 10 }, (_, index) => `${index}:\n`).join(''))
    for (let round = 0; round < 20; round++) {
      send()
      await tick()
      await tick()
    }
    const taken = calls.length
    expect(taken).toBeLessThan(50)
    expect(source.isPaused()).toBe(true)
    source.end()
    expect(parse(await text(run.answers))).toHaveLength(200)
    expect(calls).toHaveLength(200)
  })

  it('fails a line that is too long by its number, and goes on', async () => {
    const { run } = build({ source: sourceOf(`${'a'.repeat(101)}\nb:`), limits: { maxLineBytes: 100 } })
    expect(parse(await text(run.answers))).toMatchObject([
      { line: 1, status: 413, problem: { code: 'body_too_large' } },
      { id: 'b:', status: 200 },
    ])
  })

  it('answers a call that returns nothing by its status alone', async () => {
    const { run } = build({ source: sourceOf('a:1'), answer: async () => ({ status: 204, headers: {}, body: '' }) })
    expect(await text(run.answers)).toBe('{"id":"a:1","status":204}\n')
  })

  it('answers a call that fails as it failed, under the id that it had', async () => {
    const { run } = build({
      source: sourceOf('a:1'),
      answer: () => Promise.reject(new ProblemError('overloaded', { detail: 'full', invocationId: 'its own' })),
    })
    const [line] = parse(await text(run.answers))
    const problem = { code: 'overloaded', invocationId: 'its own', instance: 'urn:uuid:its own' }
    expect(line).toMatchObject({ id: 'a:1', status: 503, problem })
  })

  it('answers a defect with 500 and goes on with the lane', async () => {
    const { run } = build({
      source: sourceOf('a:1\na:2'),
      answer: async (call) => (idOf(call) === 'a:1' ? Promise.reject(new TypeError('secret')) : done),
    })
    const lines = await text(run.answers)
    expect(parse(lines)).toMatchObject([
      { id: 'a:1', status: 500 },
      { id: 'a:2', status: 200 },
    ])
    expect(lines).not.toContain('secret')
  })
})

describe('a batch whose caller goes', () => {
  it('makes no more calls, lets those under way end, and holds nothing after that', async () => {
    const gate = createGate()
    const source = new PassThrough()
    const { run, calls } = build({ source, answer: gate.answer })
    run.answers.resume()
    source.write('a:1\na:2\na:3\nb:1\n')
    await until('two calls', () => calls.length === 2)
    run.answers.destroy()
    source.write('c:1\n')
    let hasEnded = false
    void run.ended.then(() => {
      hasEnded = true
    })
    gate.let('a:1')
    await tick()
    expect(hasEnded).toBe(false)
    gate.let('b:1')
    expect(await run.ended).toEqual({ lines: 4, answered: 0, dropped: 2, maxHeld: 4, isCut: false })
    expect(calls).toEqual(['a:1', 'b:1'])
  })

  it('counts no answer as given that was not on its way yet', async () => {
    const gate = createGate()
    const { run, calls } = build({ source: sourceOf('a:1\nb:1\n'), answer: gate.answer })
    run.answers.resume()
    await until('both calls', () => calls.length === 2)
    gate.let('a:1')
    // Ends the call, and comes before what writes its answer.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    run.answers.destroy()
    await tick()
    gate.let('b:1')
    expect(await run.ended).toMatchObject({ lines: 2, answered: 0, dropped: 0 })
  })

  it('is abandoned too when his bytes break off', async () => {
    const source = new PassThrough()
    const { run } = build({ source })
    run.answers.resume()
    run.answers.on('error', () => undefined)
    source.destroy(new Error('reset'))
    expect(await run.ended).toMatchObject({ lines: 0, answered: 0 })
    expect(run.answers.destroyed).toBe(true)
  })

  it('is cut off when he sends nothing for too long, once his calls are answered', async () => {
    const gate = createGate()
    const source = new PassThrough()
    const { run, calls } = build({ source, answer: gate.answer, limits: { idleMs: 40 } })
    const answers = text(run.answers)
    source.write('a:1\nb:')
    await until('the call', () => calls.length === 1)
    await pause(45)
    await pause(45)
    gate.let('a:1')
    expect(parse(await answers)).toMatchObject([
      { id: 'a:1', status: 200 },
      { line: 2, status: 408, problem: { code: 'bad_request', outcome: 'not_sent', retry: 'safe' } },
    ])
    expect(await run.ended).toMatchObject({ isCut: true })
  })

  it('is not cut off while an answer has not left, though its call has ended', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { gate, source, run, calls, answers } = await beginOneCall()
      expect(calls).toEqual(['a:1'])
      gate.let('a:1')
      // Ends the call, and comes before what writes its answer.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
      vi.advanceTimersByTime(500)
      source.end()
      expect(parse(await answers)).toMatchObject([{ id: 'a:1', status: 200 }])
      expect(await run.ended).toMatchObject({ answered: 1, isCut: false })
      await finished(run.answers)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('goes on with what he sends after a call that took longer than he may be idle', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { gate, source, run, calls, answers } = await beginOneCall()
      vi.advanceTimersByTime(1_200)
      source.end('b:1\n')
      await tick()
      expect(calls).toEqual(['a:1', 'b:1'])
      for (const id of calls) gate.let(id)
      expect(parse(await answers)).toHaveLength(2)
      expect(await run.ended).toMatchObject({ isCut: false })
    } finally {
      vi.useRealTimers()
    }
  })

  it('has his whole time to take an answer that comes late, and his whole time to send once he has taken it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const late = Promise.withResolvers<HttpAnswer>()
    const source = new PassThrough()
    const { run, calls } = build({ source, answer: () => late.promise, limits: { idleMs: 500 } })
    run.answers.read(0)
    source.write('a:1\n')
    await tick()
    expect(calls).toEqual(['a:1'])
    vi.advanceTimersByTime(400)
    // More than a stream holds by itself.
    late.resolve({ ...done, body: `"${'x'.repeat(70_000)}"` })
    await tick()
    await tick()
    vi.advanceTimersByTime(400)
    const answers = text(run.answers)
    await tick()
    vi.advanceTimersByTime(400)
    source.end('b:1\n')
    expect(parse(await answers)).toMatchObject([
      { id: 'a:1', status: 200 },
      { id: 'b:1', status: 200 },
    ])
    expect(await run.ended).toMatchObject({ answered: 2, isCut: false })
  })

  it.each<[string, string, number]>([
    ['answers', 'a:1\nb:1\n', 70_000],
    ['last answer', 'a:1\n', 1],
  ])('breaks off when he does not take his %s for too long', async (_what, lines, bytes) => {
    const source = new PassThrough()
    const { run } = build({
      source,
      limits: { idleMs: 20 },
      answer: async () => ({ ...done, body: 'x'.repeat(bytes) }),
    })
    const failed = new Promise<Error>((resolve) => run.answers.once('error', resolve))
    run.answers.read(0)
    source.end(lines)
    expect((await failed).message).toContain('not taken')
    await run.ended
  })
})

describe('a batch while the gateway stops', () => {
  it('refuses what was not begun and what still comes, lets calls end, and ends with the last line', async () => {
    const gate = createGate()
    const source = new PassThrough()
    const { run, calls } = build({ source, answer: gate.answer })
    const answers = text(run.answers)
    source.write('a:1\na:2\n')
    await until('the first call', () => calls.length === 1)
    run.drain()
    source.end('b:1\n')
    await tick()
    gate.let('a:1')
    expect(parse(await answers)).toMatchObject([
      { id: 'a:2', status: 503, problem: { code: 'shutting_down', outcome: 'not_sent' } },
      { id: 'b:1', status: 503 },
      { id: 'a:1', status: 200 },
    ])
    expect(calls).toEqual(['a:1'])
    expect(await run.ended).toMatchObject({ isCut: false })
  })

  it.each<[string, (run: BatchRun) => void]>([
    ['its caller ends', ({ answers }) => answers.resume()],
    ['its caller goes', ({ answers }) => answers.destroy()],
  ])('leaves no timer behind when %s', async (_what, end) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const source = new PassThrough()
    const { run } = build({ source })
    run.drain()
    source.end('a:1\n')
    end(run)
    expect(await run.ended).toMatchObject({ isCut: false })
    await finished(run.answers).catch(() => undefined)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends without a caller who goes on sending, and says from which line on nothing was sent', async () => {
    const source = new PassThrough()
    const { run } = build({ source })
    const answers = text(run.answers)
    source.write('a:1\n')
    await tick()
    run.drain()
    expect(parse(await answers)).toMatchObject([
      { id: 'a:1', status: 200 },
      { line: 2, status: 503, problem: { code: 'shutting_down' } },
    ])
    expect(await run.ended).toMatchObject({ isCut: true })
  })

  it('says so of lines that come once nothing is read any more, though the caller ends then', async () => {
    const gate = createGate()
    const source = new PassThrough()
    const { run, calls } = build({ source, answer: gate.answer })
    const answers = text(run.answers)
    source.write('a:1\n')
    await until('the call', () => calls.length === 1)
    drainForLong(run)
    source.end('b:1\n')
    await tick()
    gate.let('a:1')
    expect(parse(await answers)).toMatchObject([
      { id: 'a:1', status: 200 },
      { line: 2, status: 503, problem: { code: 'shutting_down', outcome: 'not_sent' } },
    ])
    expect(calls).toEqual(['a:1'])
    expect(await run.ended).toMatchObject({ isCut: true })
  })

  it('says so of lines that came before and that there was no room for, though the caller had ended', async () => {
    const gate = createGate()
    const { run, calls } = build({ source: sourceOf('a:1\nb:1\n'), answer: gate.answer, limits: { maxLines: 1 } })
    const answers = text(run.answers)
    await until('the call', () => calls.length === 1)
    drainForLong(run)
    gate.let('a:1')
    expect(parse(await answers)).toMatchObject([
      { id: 'a:1', status: 200 },
      { line: 2, status: 503, problem: { code: 'shutting_down' } },
    ])
    expect(calls).toEqual(['a:1'])
  })

  it('has no last line where the caller had sent all while there was no room to read on', async () => {
    const gate = createGate()
    const source = new PassThrough()
    const { run, calls } = build({ source, answer: gate.answer, limits: { maxLines: 1 } })
    const answers = text(run.answers)
    source.write('a:1\n')
    await until('the call', () => calls.length === 1)
    source.end(' \n')
    await tick()
    drainForLong(run)
    await tick()
    gate.let('a:1')
    expect(parse(await answers)).toEqual([{ id: 'a:1', status: 200, body: true }])
    expect(await run.ended).toMatchObject({ answered: 1, isCut: false })
  })

  it('has no last line where the caller had sent all, however long his calls take', async () => {
    const gate = createGate()
    const { run, calls } = build({ source: sourceOf('a:1\n\n \n'), answer: gate.answer, limits: { maxLines: 1 } })
    const answers = text(run.answers)
    await until('the call', () => calls.length === 1)
    drainForLong(run)
    gate.let('a:1')
    expect(parse(await answers)).toEqual([{ id: 'a:1', status: 200, body: true }])
    expect(await run.ended).toMatchObject({ answered: 1, isCut: false })
  })
})

/** A batch whose first call is under way, and whose caller may be idle for 500 ms. */
async function beginOneCall() {
  const gate = createGate()
  const source = new PassThrough()
  const { run, calls } = build({ source, answer: gate.answer, limits: { idleMs: 500 } })
  const answers = text(run.answers)
  source.write('a:1\n')
  await tick()
  return { gate, source, run, calls, answers }
}

/** The gateway has begun to stop a minute ago. */
function drainForLong(run: BatchRun): void {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    run.drain()
    vi.advanceTimersByTime(60_000)
  } finally {
    vi.useRealTimers()
  }
}
