import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createProxyIdentity } from '../../../src/gateway/access/proxy-identity.ts'

/** What Node makes of the bytes of a header's value. */
function subjectOf(bytes: Buffer): string | undefined {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: '10.0.0.1' })
  const request = new IncomingMessage(socket)
  const value = bytes.toString('latin1')
  Object.assign(request, { rawHeaders: ['X-Client', value] })
  request.headers['x-client'] = value
  return createProxyIdentity({ trusted: ['10.0.0.1'] }, 'X-Client')(request)?.subject
}

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
})
