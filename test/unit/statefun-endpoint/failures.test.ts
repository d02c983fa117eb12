import { deflateSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../helpers/until.ts'
import { type LabOptions, labAt as labWith, startEndpoint, startLab as startLabWith } from './engine-lab.ts'
import {
  type Answer,
  type Behaviour,
  bytesOf,
  done,
  egress,
  fails,
  missing,
  raw,
  type ScriptedEndpoint,
  spec,
  stateIn,
  texts,
  to,
  writes,
} from './scripted-endpoint.ts'

const echo = (batch: Parameters<Behaviour>[0]) =>
  done({ outgoingEgresses: texts(batch).map((each) => egress(batch.target.id, each)) })

/** Milliseconds after which a function has failed for good. */
const PATIENCE_MS = 400
const startLab = (behaviour: Behaviour, options: LabOptions = {}) =>
  startLabWith(behaviour, { callTimeoutMs: PATIENCE_MS, ...options })
const labAt = (endpoint: ScriptedEndpoint, options: LabOptions = {}) =>
  labWith(endpoint, { callTimeoutMs: PATIENCE_MS, ...options })

// The first request of a process takes longer than any other.
beforeAll(async () => {
  const { send, answered, engine, endpoint } = await startLabWith((batch) => echo(batch))
  await send('a', 'x')
  await answered(1)
  await engine.close()
  await endpoint.close()
})

const octets = { 'content-type': 'application/octet-stream' }

describe('a function that fails', () => {
  it('is called again until it works', async () => {
    let calls = 0
    const { send, answered, failures } = await startLab((batch) => (++calls < 4 ? fails(503) : echo(batch)))
    await send('a', 'x')
    expect(await answered(1)).toEqual(['a:x'])
    expect([calls, failures.size]).toEqual([4, 0])
  })

  it('has raised when the time is used up, and the next message goes on', async () => {
    const { send, answered, failed } = await startLab((batch) => (texts(batch).includes('bad') ? fails() : echo(batch)))
    await send('a', 'bad')
    expect(await failed('bad')).toEqual({ kind: 'raised', name: 'FunctionFailed', message: 'test/f/a: HTTP 500' })
    await send('a', 'good')
    expect(await answered(1)).toEqual(['a:good'])
  })

  it('fails alone out of a batch: the others have their effects once, in their order', async () => {
    const gate = Promise.withResolvers<void>()
    const { send, answered, failed, failures, endpoint } = await startLab(async (batch) => {
      await gate.promise
      if (stateIn(batch, 'seen') === null) return missing(spec('seen'))
      if (texts(batch).includes('bad')) return fails()
      const seen = `${stateIn(batch, 'seen') ?? ''}${texts(batch).join('')}`
      return done({ stateMutations: [writes('seen', seen)], outgoingEgresses: [egress('seen', seen)] })
    })
    for (const each of ['0', '1', '2', 'bad', '3', '4']) await send('a', each)
    gate.resolve()
    expect(await failed('bad')).toMatchObject({ kind: 'raised' })
    await answered(5)
    const last = (await answered(5)).at(-1)
    expect(last).toBe('seen:01234')
    expect([...failures.keys()]).toEqual(['bad'])
    expect(endpoint.batches.some((batch) => texts(batch).length === 5)).toBe(true)
  })

  it('may have had an effect when the connection is lost', async () => {
    const { send, failed } = await startLab(() => raw((response) => response.destroy()))
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'unknown', cause: 'connection-lost', isFinal: true })
  })

  it('may have had an effect when it never answers', async () => {
    const { send, failed } = await startLab(() => new Promise<Answer>(() => undefined))
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'unknown', cause: 'connection-lost' })
  })
})

describe('an endpoint that can’t be reached', () => {
  it('has surely done nothing', async () => {
    const endpoint = await startEndpoint()
    await endpoint.close()
    const { send, failed } = labAt(endpoint)
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'not-sent', cause: 'runtime-unavailable' })
  })

  it('fails a whole batch at once, for no message of it is guilty', async () => {
    const endpoint = await startEndpoint()
    await endpoint.close()
    const { send, failed, engine } = labAt(endpoint)
    for (const each of ['1', '2', '3']) await send('a', each)
    await failed('3')
    expect(engine.counters()).toMatchObject({ failedMessages: 3, splitBatches: 0, batches: 2 })
  })

  it('leaves the effects of the functions before in doubt', async () => {
    const gone = await startEndpoint()
    await gone.close()
    const endpoint = await startEndpoint(() => done({ outgoingMessages: [to('b', 'x', 'gone')] }))
    const { send, failed } = labAt(endpoint, { gone: gone.url })
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'unknown', cause: 'connection-lost', isFinal: true })
  })

  it('is tried again until it is there', async () => {
    const endpoint = await startEndpoint((batch) => echo(batch))
    const { send, answered } = labAt(endpoint)
    await endpoint.close()
    await send('a', 'x')
    await endpoint.reopen()
    expect(await answered(1)).toEqual(['a:x'])
  })
})

describe('an answer that is none', () => {
  it.each<[string, Answer | (() => Answer), RegExp]>([
    [
      'another content type',
      raw((response) => response.writeHead(200, { 'content-type': 'text/html' }).end('hello')),
      /content-type is "text\/html"/,
    ],
    ['no content type', raw((response) => response.writeHead(200).end()), /content-type is ""/],
    [
      'bytes that are no message',
      raw((response) => response.writeHead(200, octets).end('\xff\xff\xff')),
      /not a FromFunction/,
    ],
    [
      'an unknown encoding',
      raw((response) => response.writeHead(200, { ...octets, 'content-encoding': 'br' }).end('x')),
      /encoding is "br"/,
    ],
    [
      'broken gzip',
      raw((response) => response.writeHead(200, { ...octets, 'content-encoding': 'gzip' }).end('x')),
      /no gzip/,
    ],
    [
      'a state that was never declared',
      done({ stateMutations: [writes('secret', 'x')] }),
      /"secret" that it has not declared/,
    ],
    ['a message to nobody', done({ outgoingMessages: [{ target: null, argument: null }] }), /without a target/],
    ['states that it was given', missing(), /misses no state/],
    [
      'a message to a function that nobody has',
      done({ outgoingMessages: [{ ...to('x', 'y'), target: { namespace: 'elsewhere', type: 'f', id: 'x' } }] }),
      /No endpoint has the function elsewhere\/f/,
    ],
  ])('makes the call malformed: %s', async (_what, answer, detail) => {
    const { send, failed } = await startLab(() => (typeof answer === 'function' ? answer() : answer))
    await send('a', 'x')
    expect(await failed('x')).toEqual({ kind: 'malformed', detail: expect.stringMatching(detail) })
  })

  it('is one that has more than 32 MiB, packed or not', async () => {
    const large = Buffer.alloc(33 * 1024 * 1024)
    const packed = gzipSync(large)
    const { send, failed, endpoint } = await startLab(
      () => raw((response) => response.writeHead(200, octets).end(large)),
      { callTimeoutMs: 3_000 },
    )
    await send('a', 'plain')
    expect(await failed('plain')).toMatchObject({ kind: 'malformed', detail: expect.stringContaining('32 MiB') })
    endpoint.behave(() =>
      raw((response) => response.writeHead(200, { ...octets, 'content-encoding': 'gzip' }).end(packed)),
    )
    await send('a', 'packed')
    expect(await failed('packed')).toMatchObject({ kind: 'malformed', detail: expect.stringContaining('32 MiB') })
  })

  it('is one whose state has changed its type', async () => {
    const { send, failed, answered, endpoint } = await startLab((batch) =>
      stateIn(batch, 's') === null ? missing(spec('s')) : echo(batch),
    )
    await send('a', '1')
    await answered(1)
    endpoint.behave(() => missing({ ...spec('s'), typeTypename: 'test/other' }, spec('t')))
    await send('a', '2')
    expect(await failed('2')).toMatchObject({ kind: 'malformed', detail: expect.stringContaining('test/other') })
  })

  it('does not end with ever more states', async () => {
    let round = 0
    const { send, failed } = await startLab(() => missing(spec(`state-${round++}`)))
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'malformed', detail: expect.stringMatching(/asked for its state/) })
  })
})

describe('answers', () => {
  it.each(['gzip', 'deflate'])('are read when they are packed: %s', async (encoding) => {
    const pack = encoding === 'gzip' ? gzipSync : deflateSync
    const answer = bytesOf({ kind: 'effects', effects: { outgoingEgresses: [egress('a', 'packed')] } })
    const headers = { ...octets, 'content-encoding': encoding }
    const { send, answered } = await startLab(() =>
      raw((response) => response.writeHead(200, headers).end(pack(answer))),
    )
    await send('a', 'x')
    expect(await answered(1)).toEqual(['a:packed'])
  })

  it('may be empty: then nothing has happened', async () => {
    const { send, engine, failures } = await startLab(() => raw((response) => response.writeHead(204, octets).end()))
    await send('a', 'x')
    await until('the message is done', () => engine.counters().messages === 1)
    expect(failures.size).toBe(0)
  })

  it('of redirects are not followed', async () => {
    const target = await startEndpoint((batch) => echo(batch))
    const { send, failed } = await startLab(() =>
      raw((response) => response.writeHead(307, { location: target.url }).end()),
    )
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'raised', message: 'test/f/a: HTTP 307' })
    expect(target.batches).toEqual([])
  })
})

describe('the origin of a failure', () => {
  it('is the call that began it, over functions between', async () => {
    const { send, failed } = await startLab(({ target }) =>
      target.type === 'f' ? done({ outgoingMessages: [to('b', 'y', 'g')] }) : fails(),
    )
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'raised', message: 'test/g/b: HTTP 500' })
  })

  it('is not guessed where a batch of several calls has sent the message', async () => {
    const gate = Promise.withResolvers<void>()
    const { send, engine, failures } = await startLab(async (batch) => {
      await gate.promise
      return batch.target.type === 'f'
        ? done({ outgoingMessages: batch.invocations.map(() => to('b', 'y', 'g')) })
        : fails()
    })
    for (const each of ['1', '2', '3']) await send('a', each)
    gate.resolve()
    await until('all have failed', () => engine.counters().failedMessages === 3)
    expect([...failures.keys()]).toEqual(['1'])
  })
})

describe('a call that has several messages under way', () => {
  const sendsBoth = done({ outgoingMessages: [to('side', 'y', 'g'), to('main', 'z', 'h')] })

  it('is not settled by one that fails while another may bring its answer', async () => {
    const gate = Promise.withResolvers<void>()
    const { send, engine, egresses, failures, answered, failed } = await startLab(async ({ target }) => {
      if (target.type === 'f') return sendsBoth
      if (target.type === 'g') return fails()
      await gate.promise
      return done({ outgoingEgresses: [egress('x', 'the answer')] })
    })
    await send('a', 'x')
    await until('the side message has failed', () => engine.counters().failedMessages === 1)
    expect([egresses.length, failures.size]).toEqual([0, 0])
    gate.resolve()
    expect(await answered(1)).toEqual(['x:the answer'])
    expect(await failed('x')).toMatchObject({ kind: 'raised', message: 'test/g/side: HTTP 500' })
  })

  it('comes to the first failure when the others end without an answer', async () => {
    let tries = 0
    const { send, failed, endpoint } = await startLab(({ target }) => {
      if (target.type === 'f') return sendsBoth
      if (target.type === 'g') return fails()
      return ++tries < 3 ? fails(503) : done()
    })
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'raised', message: 'test/g/side: HTTP 500' })
    expect(endpoint.batches.filter(({ target }) => target.type === 'h')).toHaveLength(3)
  })

  it('does not wait for what is delayed', async () => {
    const later = { ...to('a', 'later'), delayInMs: 60_000, cancellationToken: '', isCancellationRequest: false }
    const { send, failed } = await startLab(({ target }) =>
      target.type === 'f' ? done({ delayedInvocations: [later], outgoingMessages: [to('b', 'y', 'g')] }) : fails(),
    )
    await send('a', 'x')
    expect(await failed('x')).toMatchObject({ kind: 'raised' })
  })
})
