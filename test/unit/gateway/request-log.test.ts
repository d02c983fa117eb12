import fastify, { type FastifyBaseLogger, type FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../../src/gateway/app.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { createRequestLog } from '../../../src/gateway/request-log.ts'

interface Written {
  readonly log: FastifyBaseLogger
  readonly lines: readonly Readonly<Record<string, unknown>>[]
  children: number
}

function writtenLog(): Written {
  const lines: Record<string, unknown>[] = []
  const { log: root } = fastify({
    logger: { level: 'trace', stream: { write: (line) => lines.push(JSON.parse(line)) } },
  })
  const counted = {
    child: (...how: Parameters<typeof root.child>) => {
      written.children++
      return root.child(...how)
    },
  }
  const written: Written = { log: Object.assign(Object.create(root), counted), lines, children: 0 }
  return written
}

describe('the log of a request', () => {
  it('costs no child until a line is written, and one for all its lines', () => {
    const written = writtenLog()
    const log = createRequestLog(written.log, { reqId: 'r1' })
    expect(written.children).toBe(0)
    log.info('one')
    log.warn({ of: 2 }, 'two')
    expect(written.children).toBe(1)
    expect(written.lines).toMatchObject([
      { reqId: 'r1', msg: 'one' },
      { reqId: 'r1', of: 2, msg: 'two' },
    ])
  })

  it.each([
    ['trace', 10],
    ['debug', 20],
    ['info', 30],
    ['warn', 40],
    ['error', 50],
    ['fatal', 60],
  ] as const)('writes %s as the level %i', (name, level) => {
    const written = writtenLog()
    createRequestLog(written.log, { reqId: 'r1' })[name]('said')
    expect(written.lines).toMatchObject([{ level, reqId: 'r1', msg: 'said' }])
  })

  it('has a level of its own, and children that say whose they are', () => {
    const written = writtenLog()
    const log = createRequestLog(written.log, { reqId: 'r1' })
    log.level = 'error'
    expect([log.level, written.log.level]).toEqual(['error', 'trace'])
    log.info('not said')
    log.silent('never said')
    log.child({ part: 'p' }).error('said')
    expect(written.lines).toMatchObject([{ reqId: 'r1', part: 'p', msg: 'said' }])
  })

  it('is written as its route says: by its level and with its serializers', async () => {
    const written = writtenLog()
    const { config } = readConfig({ env: { GATEWAY_RUNTIME: 'embedded' }, argv: [] })
    const app = createApp(config, { log: written.log, newId: () => 'r1' })
    const handler = async (request: FastifyRequest) => {
      request.log.info({ secret: 's' }, 'info')
      request.log.error({ secret: 's' }, 'error')
      return ''
    }
    app.get('/plain', handler)
    app.get('/own', { logLevel: 'error', logSerializers: { secret: () => 'hidden' }, handler })
    await app.inject('/plain')
    await app.inject('/own')
    expect(written.lines).toMatchObject([
      { reqId: 'r1', msg: 'info', secret: 's' },
      { reqId: 'r1', msg: 'error', secret: 's' },
      { reqId: 'r1', msg: 'error', secret: 'hidden' },
    ])
    await app.close()
  })
})
