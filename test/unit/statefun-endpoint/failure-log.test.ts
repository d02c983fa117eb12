import { describe, expect, it } from 'vitest'
import type { Log } from '../../../src/runtime-adapters/contract.ts'
import { showEndpoint } from '../../../src/runtime-adapters/statefun/ingress.ts'
import { createEndpointDirectory } from '../../../src/runtime-adapters/statefun-endpoint/endpoint-directory.ts'
import { freePorts } from '../../helpers/free-ports.ts'
import { until } from '../../helpers/until.ts'
import { type LabOptions, startLab } from './engine-lab.ts'
import { type Behaviour, done, raw, to } from './scripted-endpoint.ts'

async function startLogging(behaviour: Behaviour, options: LabOptions = {}) {
  const lines: object[] = []
  const note = (members: object) => void lines.push(members)
  const log: Log = { debug: note, info: note, warn: note, error: note }
  return { ...(await startLab(behaviour, { callTimeoutMs: 1_000, ...options, log })), lines }
}

const KEY = 'john.doe@example.org'

describe('a message that has failed', () => {
  it('is logged with what has failed, its key is not, and its caller is not told where functions are', async () => {
    const [port] = await freePorts(1)
    const gone = `http://127.0.0.1:${port}/`
    const { send, failed, lines } = await startLogging(() => done({ outgoingMessages: [to(KEY, 'y', 'gone')] }), {
      gone,
    })
    await send(KEY, 'x')
    expect(await failed('x')).toMatchObject({
      detail: `test/gone/${KEY}: The function’s endpoint could not be reached.`,
    })
    expect(lines).toMatchObject([{ function: 'test/gone', origin: 'x', failure: 'unreached' }])
    expect(JSON.stringify(lines)).toContain(`ECONNREFUSED 127.0.0.1:${port}`)
    expect(JSON.stringify(lines)).not.toContain(KEY)
  })

  it('by an answer that can’t be used has no key in what is said of it: that is logged too', async () => {
    const { send, failed } = await startLogging(() => raw((response) => response.end('no FromFunction')))
    await send(KEY, 'x')
    expect(JSON.stringify(await failed('x'))).toContain('test/f: ')
    expect(JSON.stringify(await failed('x'))).not.toContain(KEY)
  })

  it('is one of many, of which a line is written now and then', async () => {
    const [port] = await freePorts(1)
    const gone = `http://127.0.0.1:${port}/`
    const { send, engine, lines } = await startLogging(
      ({ target }) => done({ outgoingMessages: [to(target.id, 'y', 'gone')] }),
      { gone },
    )
    for (let n = 0; n < 100; n++) await send(`k${n}`, `${n}`)
    await until('all have failed', () => engine.counters().failedMessages === 100)
    expect(lines.length).toBeLessThan(10)
  })
})

describe('a function’s endpoint as it is shown', () => {
  it.each([
    ['http://me:hidden@host:1/a@b', 'http://host:1/a@b'],
    ['http://host/{function.name}?token=hidden', 'http://host/{function.name}'],
    ['shop/*=https://hidden@host/', 'shop/*=https://host/'],
  ])('has no credentials: %s', (address, shown) => {
    expect(showEndpoint(address)).toBe(shown)
  })

  it('has none in the refusal of its address either', () => {
    const defaults = { maxBatch: 10, callTimeoutMs: 1_000, maxConnections: 1 }
    const endpoints = [{ functions: '*', urlPathTemplate: 'http://me:hidden@host:port/' }]
    expect(() => createEndpointDirectory(endpoints, defaults)).toThrow(/address http:\/\/host:port\/ is not/)
  })
})
