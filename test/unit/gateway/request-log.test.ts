import fastify, { type FastifyBaseLogger } from 'fastify'
import { describe, expect, it } from 'vitest'
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
})
