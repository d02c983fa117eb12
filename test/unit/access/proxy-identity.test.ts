import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../src/gateway/access/caller.ts'
import { createProxyIdentity } from '../../../src/gateway/access/proxy-identity.ts'

/** What Node makes of the bytes of headers' values; a later one of the same name is joined to the first. */
function callerOf(...fields: readonly (readonly [name: string, value: Buffer | string])[]): Caller | undefined {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: '10.0.0.1' })
  const request = new IncomingMessage(socket)
  const texts = fields.map(([name, value]) => [name, Buffer.from(value).toString('latin1')] as const)
  Object.assign(request, { rawHeaders: texts.flat() })
  for (const [name, text] of texts) {
    const before = request.headers[name.toLowerCase()]
    request.headers[name.toLowerCase()] = before === undefined ? text : `${before}, ${text}`
  }
  return createProxyIdentity({ trusted: ['10.0.0.1'], scopesHeader: 'X-May' }, 'X-Client')(request)
}

const subjectOf = (bytes: Buffer) => callerOf(['X-Client', bytes])?.subject

describe('the name that a proxy gives', () => {
  it.each(['alice', 'Jürgen', '世界'])('is read as the UTF-8 that it is: %s', (name) => {
    expect(subjectOf(Buffer.from(name))).toBe(name)
  })

  it('is read as Latin-1 where its bytes are no UTF-8', () => {
    expect(subjectOf(Buffer.from('Jürgen', 'latin1'))).toBe('Jürgen')
  })

  it('has no control characters, however they are written', () => {
    expect(() => subjectOf(Buffer.from('al\u0085ice'))).toThrow(/names nobody/)
  })

  it('is one, and not empty', () => {
    expect(() => callerOf(['X-Client', 'alice'], ['x-client', 'bob'])).toThrow(/more than one/)
    expect(() => callerOf(['X-Client', 'alice'], ['x-client', 'alice'])).toThrow(/more than one/)
    expect(() => callerOf(['X-Client', ''])).toThrow(/names nobody/)
  })

  it('makes a principal that no caller of another kind has', () => {
    expect(callerOf(['X-Client', 'alice'])).toMatchObject({ kind: 'proxy', principal: 'proxy:alice', claims: {} })
  })
})

describe('what a proxy says that its caller may', () => {
  const scopesOf = (...values: readonly string[]) => [
    ...(callerOf(['X-Client', 'alice'], ...values.map((value) => ['X-May', value] as const))?.scopes ?? ['no caller']),
  ]

  it('is separated by spaces, and nothing where it says nothing', () => {
    expect(scopesOf('user:read item:read')).toEqual(['user:read', 'item:read'])
    expect(scopesOf()).toEqual([])
  })

  it('is nothing where it is said twice, since one may be the caller’s own word', () => {
    expect(scopesOf('admin', 'user:read')).toEqual([])
  })
})
