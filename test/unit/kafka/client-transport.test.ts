import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createClientTransport, type RunningClient } from '../../../src/runtime-adapters/kafka/client-transport.ts'
import { TransportStartError } from '../../../src/runtime-adapters/kafka/transport.ts'

const subscription = { requestTopics: [], replyTopics: [], onRecord: () => undefined }

/** A client that notes what is done with it, and starts when it is let. */
function setup(start: (attempt: number) => Promise<void>) {
  const events: string[] = []
  let attempts = 0
  const client: RunningClient = {
    async start() {
      const attempt = ++attempts
      events.push('start')
      await start(attempt)
      events.push('started')
    },
    send: async () => ({ kind: 'acknowledged' }),
    refresh: async () => void events.push('refresh'),
    trouble: () => undefined,
    partitionsOf: () => undefined,
    read: () => undefined,
    close: async () => void events.push('close'),
  }
  const transport = createClientTransport({ name: 'test', brokers: ['b:1'], isFinal: () => false, open: () => client })
  return { transport, events }
}

describe('a transport over a client', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('closes a client that is starting when its start has ended, once, and rejects the start', async () => {
    const held = Promise.withResolvers<void>()
    const { transport, events } = setup(() => held.promise)
    const started = expect(transport.start(subscription)).rejects.toThrow(TransportStartError)
    const closed = Promise.all([transport.close(), transport.close()])
    await vi.advanceTimersByTimeAsync(100)
    expect(events).toEqual(['start'])
    held.resolve()
    await Promise.all([started, closed])
    expect(events).toEqual(['start', 'started', 'close'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('starts no closed client again', async () => {
    const { transport, events } = setup(() => Promise.reject(new Error('nobody is there')))
    const started = expect(transport.start(subscription)).rejects.toThrow('closed')
    await vi.advanceTimersByTimeAsync(10)
    await transport.close()
    await vi.advanceTimersByTimeAsync(250)
    await started
    expect(events).toEqual(['start', 'close'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('closes a client whose start outlasts its time when that has ended', async () => {
    const held = Promise.withResolvers<void>()
    const { transport, events } = setup(() => held.promise)
    const started = expect(transport.start(subscription)).rejects.toThrow("can't be reached")
    await vi.advanceTimersByTimeAsync(10_000)
    await started
    expect(events).toEqual(['start'])
    held.resolve()
    await transport.close()
    expect(events).toEqual(['start', 'started', 'close'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('asks no closed client how it is: it would connect again', async () => {
    const { transport, events } = setup(async () => undefined)
    await transport.start(subscription)
    expect(await transport.health()).toMatchObject({ ok: true })
    await transport.close()
    expect(await transport.health()).toEqual({ ok: false, detail: 'The transport is closed.' })
    expect(events).toEqual(['start', 'started', 'refresh', 'close'])
  })
})
