import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type BatchAnswer, openBatch, sendBatch } from '../helpers/batch-client.ts'
import { root } from '../helpers/gateway-process.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { sendRaw } from '../helpers/send-raw.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'
import { unique } from '../helpers/unique.ts'
import { until } from '../helpers/until.ts'
import { stepOf } from './chains.ts'

const env = { GATEWAY_ENTITIES: join(root, 'test/integration/chains.ts') }
const call = (id: unknown, key: string, x = 1) => ({ id, entity: 'chain', key, method: 'step', args: { x } })
const create = (key: string) => ({ id: `create ${key}`, entity: 'chain', method: 'create', args: { id: key } })

function keepLog() {
  const summaries: Record<string, unknown>[] = []
  const stream = { write: (line: string) => void summaries.push(JSON.parse(line)) }
  return { summaries, logger: { level: 'debug', stream } }
}

describe('POST /-/batch', () => {
  let gateway: RunningGateway
  beforeAll(async () => {
    gateway = await startGateway({ ...env, GATEWAY_BODY_LIMIT_BYTES: '4096' })
  })
  afterAll(() => gateway.close())

  it('answers a line before the next one is sent, over one connection', async () => {
    const batch = await openBatch(gateway.url)
    expect(batch.response.headers['content-type']).toBe('application/x-ndjson')
    const key = unique('duplex')
    batch.send(create(key))
    expect(await batch.next()).toEqual({
      id: `create ${key}`,
      status: 201,
      location: `/chain/${key}`,
      body: { key },
    })
    batch.send(call('a', key, 7))
    expect(await batch.next()).toEqual({ id: 'a', status: 200, body: 7 })
    expect(await batch.finish()).toEqual([])
  })

  it('lets a creation go before the calls of what it creates', async () => {
    const batch = await openBatch(gateway.url)
    const key = unique('new')
    batch.send(create(key), call(1, key), call(2, key), create(key))
    expect((await batch.finish()).map(({ status }) => status)).toEqual([201, 200, 200, 409])
  })

  it('fails a broken line alone, by its number, with the problem of a single call', async () => {
    const key = unique('broken')
    const lines = [create(key), '', '{"id":', { ...call('x', key), args: {} }, call('ghost', 'ghost')]
    const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
    const answers = await sendBatch(gateway.url, `${body}\n${JSON.stringify(call('good', key))}`)
    expect(byPlace(answers)).toMatchObject({
      [`create ${key}`]: { status: 201 },
      'line 3': { status: 400, problem: { code: 'malformed_json', outcome: 'not_sent' } },
      x: {
        status: 400,
        problem: { code: 'validation_failed', errors: [{ pointer: '#/args/x', detail: 'is required' }] },
      },
      ghost: { status: 404, problem: { code: 'entity_not_found', outcome: 'rejected' } },
      good: { status: 200, body: 1 },
    })
    expect(answers).toHaveLength(5)
  })

  it('limits each line as a body, and the stream not at all', async () => {
    const filler = JSON.stringify(call('late', 'limit', 1))
    const long = JSON.stringify({ ...call('long', 'limit'), args: { x: 1, y: 'y'.repeat(5_000) } })
    const answers = await sendBatch(
      gateway.url,
      [JSON.stringify(create('limit')), long, ...Array(100).fill(filler)].join('\n'),
    )
    expect(answers).toHaveLength(102)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100)
    expect(byPlace(answers)['line 2']).toMatchObject({ status: 413, problem: { code: 'body_too_large' } })
  })

  it('sends a call once for one idempotency key, in a batch and beside it', async () => {
    const keyed = (id: string, x: number) => ({ ...call(id, 'once', x), idempotencyKey: 'k 1' })
    const batch = await openBatch(gateway.url)
    batch.send(create('once'), keyed('first', 5), keyed('again', 5), keyed('other', 6))
    expect(byPlace(await batch.finish())).toMatchObject({
      first: { status: 200, body: 5 },
      again: { status: 200, body: 5, replayed: true },
      other: { status: 422, problem: { code: 'idempotency_key_reused' } },
    })
    const single = await fetch(`${gateway.url}/chain/once/step`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': '"k 1"' },
      body: '{"x":5}',
    })
    expect([single.headers.get('idempotency-replayed'), await single.json()]).toEqual(['true', 5])
  })

  it.each<[string, string, Record<string, string>, number, string]>([
    ['JSON', '/-/batch', { 'content-type': 'application/json' }, 415, 'unsupported_media_type'],
    ['no media type', '/-/batch', {}, 415, 'unsupported_media_type'],
    ['a query', '/-/batch?id=1', { 'content-type': 'application/x-ndjson' }, 400, 'validation_failed'],
    [
      'an idempotency key for all',
      '/-/batch',
      { 'content-type': 'application/x-ndjson', 'idempotency-key': 'k' },
      400,
      'validation_failed',
    ],
    [
      'what is compressed',
      '/-/batch',
      { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
      415,
      'unsupported_media_type',
    ],
    [
      'a condition for all',
      '/-/batch',
      { 'content-type': 'application/x-ndjson', 'if-match': '"read-before"' },
      400,
      'unsupported_call',
    ],
    [
      'what is not known here to a strict caller',
      '/-/batch',
      { 'content-type': 'application/x-ndjson', prefer: 'handling=strict, foo' },
      400,
      'unknown_preference',
    ],
  ])('refuses %s', async (_what, path, headers, status, code) => {
    const answer = await sendRaw(gateway.url, { kind: 'batch', verb: 'POST', path, headers, body: '{}' })
    expect([answer.status, answer.type]).toEqual([status, 'application/problem+json'])
    expect(JSON.parse(answer.text)).toMatchObject({ code })
  })

  it('refuses a batch without a body', async () => {
    const answer = await sendRaw(gateway.url, { kind: 'batch', verb: 'POST', path: '/-/batch', headers: {} })
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([415, 'unsupported_media_type'])
  })

  it('takes its media type nowhere else', async () => {
    const headers = { 'content-type': 'application/x-ndjson' }
    const answer = await sendRaw(gateway.url, { kind: 'batch', verb: 'POST', path: '/chain', headers, body: '{}' })
    expect(answer.status).toBe(415)
  })
})

describe('a long batch', () => {
  it('keeps the order of 100,000 lines over 1,000 keys at the runtime, and holds few of them', async () => {
    const { summaries, logger } = keepLog()
    const gateway = await startGateway(env, { logger })
    const keys = Array.from({ length: 1_000 }, (_, index) => `k${index}`)
    const values = new Map(keys.map((key) => [key, 0]))
    const batch = await openBatch(gateway.url)
    const reading = batch.rest()
    batch.send(...keys.map(create))
    const expected: number[] = []
    for (let at = 0; at < 100_000; ) {
      const lines: object[] = []
      for (const end = at + 1_000; at < end; at++) {
        // Keys in an order that is not theirs, so that their lines are mixed.
        const key = keys[(at * 7) % 1_000] ?? ''
        const value = stepOf(values.get(key) ?? 0, at)
        values.set(key, value)
        expected.push(value)
        lines.push(call(at, key, at))
      }
      batch.send(...lines)
      if (batch.sent.writableNeedDrain) await new Promise((resolve) => batch.sent.once('drain', resolve))
    }
    batch.sent.end()
    const answers = (await reading).filter(({ id }) => typeof id === 'number')
    expect(answers).toHaveLength(100_000)
    expect(answers.filter(({ id, status, body }) => status !== 200 || body !== expected[Number(id)])).toEqual([])
    await gateway.close()
    const summary = summaries.find(({ msg }) => msg === 'a batch ended')
    expect(summary).toMatchObject({ lines: 101_000, answered: 101_000, dropped: 0 })
    expect(summary?.maxHeld).toBeLessThanOrEqual(1_000)
  }, 60_000)

  it.each([
    [{ GATEWAY_BATCH_IN_FLIGHT: '3' }, 3],
    [{ GATEWAY_BATCH_IN_FLIGHT_BYTES: '3' }, 1],
  ])('holds as much of it as %o says', async (limit, maxHeld) => {
    const { summaries, logger } = keepLog()
    const gateway = await startGateway({ ...env, ...limit }, { logger })
    const lines = Array.from({ length: 20 }, (_, index) => JSON.stringify(create(`held ${index}`)))
    expect(await sendBatch(gateway.url, lines.join('\n'))).toHaveLength(20)
    await gateway.close()
    expect(summaries.find(({ msg }) => msg === 'a batch ended')).toMatchObject({ maxHeld })
  })
})

describe('a batch that does not end as it should', () => {
  it('leaves nothing behind when its caller disconnects', async () => {
    const { summaries, logger } = keepLog()
    const gateway = await startGateway({ ...env, GATEWAY_MAX_BATCHES: '1' }, { logger })
    const batch = await openBatch(gateway.url)
    batch.send(create('gone'))
    await batch.next()
    batch.sent.destroy()
    await until('the end of the batch', () => summaries.some(({ msg }) => msg === 'a batch ended'))
    // There is room for one: the next one shows that it was given back.
    expect(await sendBatch(gateway.url, JSON.stringify(call('1', 'gone')))).toMatchObject([{ id: '1', status: 200 }])
    await gateway.close()
  })

  it('is refused when as many as allowed are under way', async () => {
    const gateway = await startGateway({ ...env, GATEWAY_MAX_BATCHES: '1' })
    const batch = await openBatch(gateway.url)
    const headers = { 'content-type': 'application/x-ndjson' }
    const answer = await sendRaw(gateway.url, { kind: 'batch', verb: 'POST', path: '/-/batch', headers, body: '{}' })
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([503, { code: 'overloaded', outcome: 'not_sent' }])
    expect(await batch.finish()).toEqual([])
    await gateway.close()
  })

  it('is refused too when those under way began before a reload', async () => {
    const folder = createTemporaryFolder()
    const overrides = (deadlineMs: number) => JSON.stringify({ 'Chain.step': { deadlineMs } })
    const GATEWAY_OVERRIDES = folder.write('overrides.json', overrides(1_000))
    const gateway = await startGateway({ ...env, GATEWAY_MAX_BATCHES: '1', GATEWAY_OVERRIDES })
    const batch = await openBatch(gateway.url)
    folder.write('overrides.json', overrides(2_000))
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    const headers = { 'content-type': 'application/x-ndjson' }
    const answer = await sendRaw(gateway.url, { kind: 'batch', verb: 'POST', path: '/-/batch', headers, body: '{}' })
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([503, { code: 'overloaded' }])
    expect(await batch.finish()).toEqual([])
    expect(await sendBatch(gateway.url, JSON.stringify(create('after')))).toMatchObject([{ status: 201 }])
    await gateway.close()
    folder.close()
  })

  it('is cut off when no line comes, and its connection is closed', async () => {
    const gateway = await startGateway({ ...env, GATEWAY_BATCH_IDLE_MS: '50' })
    const batch = await openBatch(gateway.url)
    const closed = new Promise((resolve) => batch.response.socket.once('close', resolve))
    batch.send(create('idle'))
    expect(await batch.rest()).toMatchObject([{ status: 201 }, { line: 2, status: 408 }])
    await closed
    await gateway.close()
  })

  it('is cut off by inject too, where there is no connection to close', async () => {
    const gateway = await startGateway(env)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const payload = new PassThrough()
    const headers = { 'content-type': 'application/x-ndjson' }
    const options = { method: 'POST', url: '/-/batch', headers, payload, payloadAsStream: true } as const
    const { statusCode, stream } = await gateway.app.inject(options)
    const answers = text(stream())
    // Longer than it may be idle.
    vi.advanceTimersByTime(600_000)
    expect([statusCode, JSON.parse(await answers)]).toMatchObject([200, { line: 1, status: 408 }])
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    // What comes after it throws here, were there anything.
    vi.advanceTimersByTime(600_000)
    await gateway.close()
  })

  it('ends while the gateway stops, with what was not sent refused, and holds up nothing', async () => {
    const gateway = await startGateway(env)
    const open = await openBatch(gateway.url)
    const ending = await openBatch(gateway.url)
    for (const batch of [open, ending]) batch.send(create('stop'))
    await Promise.all([open.next(), ending.next()])
    const closed = gateway.close()
    await until('no new connections', () => !gateway.server.listening)
    ending.send(call('too late', 'stop'))
    expect(await ending.finish()).toMatchObject([
      { id: 'too late', status: 503, problem: { code: 'shutting_down', outcome: 'not_sent' } },
    ])
    expect(await open.rest()).toMatchObject([{ line: 2, status: 503, problem: { code: 'shutting_down' } }])
    await closed
  })

  it('is no longer read while nobody takes its answers, and loses none of them', async () => {
    const gateway = await startGateway(env)
    const batch = await openBatch(gateway.url)
    batch.response.pause()
    // As long as its answer, so that both directions fill up alike.
    const line = `${'{}'.padEnd(300)}\n`
    let sent = 0
    let before = 0
    let stalls = 0
    await until('a sender who is held up', () => {
      const { socket } = batch.sent
      const flushed = (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0)
      stalls = flushed === before ? stalls + 1 : 0
      before = flushed
      for (; !batch.sent.writableNeedDrain; sent += 1_000) batch.sent.write(line.repeat(1_000))
      return stalls === 5
    })
    const answers = await batch.finish()
    expect(answers).toHaveLength(sent)
    expect(answers.at(-1)).toMatchObject({ line: sent, status: 400 })
    await gateway.close()
  }, 40_000)
})

function byPlace(answers: readonly BatchAnswer[]): Readonly<Record<string, BatchAnswer>> {
  return Object.fromEntries(answers.map((answer) => [answer.id ?? `line ${answer.line}`, answer]))
}
