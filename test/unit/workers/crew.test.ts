import { afterEach, describe, expect, it, vi } from 'vitest'
import { ConfigError } from '../../../src/gateway/config.ts'
import { Crew } from '../../../src/gateway/workers/crew.ts'
import { createLink, type Link, type Port } from '../../../src/gateway/workers/link.ts'
import type { PrimaryQuestion, WorkerQuestion } from '../../../src/gateway/workers/questions.ts'
import type { WorkerProcess } from '../../../src/gateway/workers/worker-process.ts'

/** A worker without a process. */
interface StandIn {
  readonly number: number
  readonly link: Link<PrimaryQuestion>
  readonly heard: (WorkerQuestion['op'] | NodeJS.Signals)[]
  end(code: number): void
}

const ask = { timeoutMs: 1_000 }
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Two ports, one's posts being the other's messages. */
function portPair(): readonly [Port, Port] {
  const listeners: ((message: unknown) => void)[] = []
  const port = (own: number): Port => ({
    post: (message) => setImmediate(() => listeners[1 - own]?.(structuredClone(message))),
    onMessage(listener) {
      listeners[own] = listener
    },
  })
  return [port(0), port(1)]
}

function start(count: number, stopsWith: (number: number) => number | undefined = () => 0) {
  const standIns: StandIn[] = []
  const onHopeless = vi.fn()
  const fork = (number: number): WorkerProcess => {
    const [outer, inner] = portPair()
    let tellEnd: (code: number | undefined, how: string) => void = () => undefined
    const heard: StandIn['heard'] = []
    const end = (code: number) => tellEnd(code, `exit code ${code}`)
    const link = createLink<PrimaryQuestion>(inner, async (question) => {
      // The crew asks.
      const { op } = question as WorkerQuestion
      heard.push(op)
      const code = stopsWith(number)
      if (op === 'stop' && code !== undefined) setImmediate(() => end(code))
    })
    standIns.push({ number, link, heard, end })
    return {
      ...{ pid: number, port: outer },
      kill(signal) {
        heard.push(signal)
        if (signal === 'SIGKILL') tellEnd(undefined, 'signal SIGKILL')
      },
      onEnd(listener) {
        tellEnd = listener
      },
    }
  }
  const crew = new Crew({
    count,
    fork,
    answer: async () => 'the primary’s',
    onEnd: () => undefined,
    onHopeless,
    log: silent,
  })
  const started = crew.start()
  started.catch(() => undefined)
  const serve = (one: StandIn | undefined) => one?.link.ask({ op: 'serving', announcement: 'here' }, ask)
  return { crew, started, standIns, serve, onHopeless }
}

describe('a crew of workers', () => {
  afterEach(() => void vi.useRealTimers())

  it('has started once all serve, and not before', async () => {
    const { crew, started, standIns, serve } = start(2)
    const seen = vi.fn()
    started.then(seen, seen)
    await serve(standIns[0])
    expect([crew.servingCount, crew.haveAllServed]).toEqual([1, false])
    expect(seen).not.toHaveBeenCalled()
    await serve(standIns[1])
    expect(await started).toBe('here')
    expect([crew.servingCount, crew.haveAllServed]).toEqual([2, true])
  })

  it('fails to start for the reason that the first of them gives, when all others have been stopped', async () => {
    const { started, standIns, serve } = start(3)
    await serve(standIns[0])
    await standIns[1]?.link.ask({ op: 'failed', text: 'no metadata', isOperators: true }, ask)
    standIns[1]?.end(1)
    await expect(started).rejects.toThrow(new ConfigError(['no metadata']))
    expect(standIns.map(({ heard }) => heard)).toEqual([['stop'], [], ['SIGKILL']])
  })

  it('starts one again that ends, until it ends again and again', async () => {
    const { started, standIns, serve, onHopeless } = start(2)
    for (const one of [...standIns]) await serve(one)
    await started
    vi.useFakeTimers()
    for (let ends = 0; ends < 6; ends++) {
      standIns.at(-1)?.end(1)
      vi.advanceTimersByTime(10_000)
    }
    expect(standIns.map(({ number }) => number)).toEqual([1, 2, 2, 2, 2, 2, 2])
    expect(onHopeless).toHaveBeenCalledTimes(1)
  })

  it('passes a signal to those that serve, and to others once they do', async () => {
    const { crew, standIns, serve } = start(2)
    await serve(standIns[0])
    for (let times = 0; times < 2; times++) crew.pass('SIGHUP')
    expect(standIns.map(({ heard }) => heard)).toEqual([['SIGHUP', 'SIGHUP'], []])
    await serve(standIns[1])
    expect(standIns.map(({ heard }) => heard)).toEqual([['SIGHUP', 'SIGHUP'], ['SIGHUP']])
  })

  it('answers questions that are not for it by asking its primary', async () => {
    const { standIns } = start(1)
    expect(await standIns[0]?.link.ask({ op: 'metrics' }, ask)).toBe('the primary’s')
  })

  it('ends with the worst of the exit codes', async () => {
    const { crew, started, standIns, serve } = start(3, (number) => (number === 2 ? 1 : 0))
    for (const one of [...standIns]) await serve(one)
    await started
    expect(await crew.stop(10_000)).toBe(1)
    expect(standIns.map(({ heard }) => heard)).toEqual([['stop'], ['stop'], ['stop']])
  })

  it('is stopped with 0 while it starts', async () => {
    const { crew, standIns, serve } = start(2)
    await serve(standIns[0])
    expect(await crew.stop(10_000)).toBe(0)
    expect(standIns.map(({ heard }) => heard)).toEqual([['stop'], ['SIGKILL']])
  })

  it('kills those that do not stop', async () => {
    const { crew, started, standIns, serve } = start(2, (number) => (number === 2 ? undefined : 0))
    for (const one of [...standIns]) await serve(one)
    await started
    expect(await crew.stop(50)).toBe(1)
    expect(standIns[1]?.heard).toEqual(['stop', 'SIGKILL'])
  })
})
