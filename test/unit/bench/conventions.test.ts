import { describe, expect, it } from 'vitest'
import { type Convention, conventions, type Reply, type RequestRecord } from '../../../bench/conventions.ts'
import { judge } from '../../../bench/http-connection.ts'

const id = '46fd544e-52a1-4c1b-9a51-7d0c3f1f2b11'

function request(value: string, headers: Readonly<Record<string, Buffer | string>> = {}): RequestRecord {
  const pairs = Object.entries(headers).map(([name, content]) => [Buffer.from(name), Buffer.from(content)] as const)
  return { key: null, value: Buffer.from(value), headers: pairs }
}

const answer = (convention: Convention, record: RequestRecord): Reply | undefined => conventions[convention](record)

describe('the worker answers', () => {
  it('NestJS on the partition that it asks for, with its id', () => {
    const reply = answer('nest', request('{}', { kafka_correlationId: id, kafka_replyPartition: '7' }))
    expect(reply).toMatchObject({ partition: 7, value: Buffer.from('true') })
    expect(reply?.headers?.map(([name, content]) => [String(name), String(content)])).toEqual([
      ['kafka_correlationId', id],
      ['kafka_nest-is-disposed', '1'],
    ])
  })

  it('Spring, whose partition is a number of four bytes', () => {
    const headers = { kafka_correlationId: Buffer.alloc(16, 3), kafka_replyPartition: Buffer.from([0, 0, 0, 5]) }
    const reply = answer('spring', request('{}', headers))
    expect(reply?.partition).toBe(5)
    expect(reply?.headers?.[0]?.[1]).toEqual(Buffer.alloc(16, 3))
  })

  it('nobody who did not say his id', () => {
    expect(answer('spring', request('{}'))).toBeUndefined()
    expect(answer('statefun-json', request('{"method":"buy_item"}'))).toBeUndefined()
  })

  it('a function’s caller and the minimal program by the id in their payload', () => {
    const reply = answer('statefun-json', request(`{"correlation_id":"${id}","method":"buy_item"}`))
    expect(JSON.parse(String(reply?.value))).toEqual({ correlation_id: id, ok: true, result: true })
    expect(String(answer('minimal', request(`{"id":"${id}","key":"a"}`))?.key)).toBe(id)
  })

  it('a StateFlow method with its value, and a flow with a list', () => {
    const event = (type: string) => request(`{"event_id":"${id}","event_type":"${type}","fun_address":{},"payload":{}}`)
    const results = (type: string) => JSON.parse(String(answer('stateflow-json', event(type))?.value)).payload
    expect(results('InvokeStateful')).toEqual({ return_results: true })
    expect(results('EventFlow')).toEqual({ return_results: [true] })
    expect(results('Ping')).toEqual({})
  })
})

describe('an answer over HTTP', () => {
  const head = 'HTTP/1.1 200 OK\r\n'

  it.each([
    ['right', `${head}content-length: 4\r\n\r\ntrue`],
    ['right', `${head}Transfer-Encoding: chunked\r\n\r\n4\r\ntrue\r\n0\r\n\r\n`],
    ['incomplete', `${head}Transfer-Encoding: chunked\r\n\r\n4\r\ntrue\r\n`],
    ['incomplete', `${head}content-length: 5\r\n\r\nfals`],
    ['wrong', `${head}content-length: 5\r\n\r\nfalse`],
    ['wrong', 'HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 4\r\n\r\ntrue'],
  ])('is %s: %j', (verdict, text) => {
    expect(judge(Buffer.from(text))).toBe(verdict)
  })
})
