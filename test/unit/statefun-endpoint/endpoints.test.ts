import { describe, expect, it } from 'vitest'
import {
  createEndpointDirectory,
  parseEndpoint,
} from '../../../src/runtime-adapters/statefun-endpoint/endpoint-directory.ts'
import { addressOf, placeOf } from '../../../src/runtime-adapters/statefun-endpoint/message.ts'
import { startGateway } from '../../helpers/running-gateway.ts'

const defaults = { maxBatch: 10, callTimeoutMs: 1_000, maxConnections: 1 }

describe('the endpoint of a function', () => {
  it('is the first that fits its type: itself, its namespace, everything', () => {
    const directory = createEndpointDirectory(
      [
        { functions: 'shop/user', urlPathTemplate: 'http://users:1/x', maxNumBatchRequests: 3, callTimeoutMs: 50 },
        { functions: 'shop/*', urlPathTemplate: 'http://shop:1/{function.name}' },
        { functions: 'a/b/*', urlPathTemplate: 'http://nested:1/' },
        { functions: '*', urlPathTemplate: 'https://rest/' },
      ],
      defaults,
    )
    const urlOf = (type: string) => directory.find(type)?.endpoint.url.href
    expect(urlOf('shop/user')).toBe('http://users:1/x')
    expect(urlOf('shop/item')).toBe('http://shop:1/item')
    expect(urlOf('a/b/c')).toBe('http://nested:1/')
    expect(urlOf('a/b')).toBe('https://rest/')
    expect(directory.find('shop/user')).toMatchObject({ maxBatch: 3, callTimeoutMs: 50 })
    expect(directory.find('shop/item')).toMatchObject({ maxBatch: 10, callTimeoutMs: 1_000 })
    directory.close()
  })

  it('may not exist', () => {
    const directory = createEndpointDirectory([{ functions: 'shop/*', urlPathTemplate: 'http://shop:1/' }], defaults)
    expect(directory.find('bank/account')).toBeUndefined()
    directory.close()
  })

  it.each(['ftp://host/', 'host:80', 'http://', '/statefun'])('is refused when it is no address of HTTP: %s', (url) => {
    expect(() => createEndpointDirectory([{ functions: '*', urlPathTemplate: url }], defaults)).toThrow(/not an http/)
  })

  it('is refused without telling the password in it', () => {
    const secret = [{ functions: '*', urlPathTemplate: 'ftp://user:secret@host/' }]
    expect(() => createEndpointDirectory(secret, defaults)).toThrow('address ftp://host/ is not')
  })

  it('is logged at the start without the password in it', async () => {
    const lines: string[] = []
    const stream = { write: (line: string) => void lines.push(line) }
    const env = {
      GATEWAY_METADATA: 'examples/statefun-typescript/metadata.json',
      GATEWAY_RUNTIME: 'statefun-endpoint',
      STATEFUN_ENDPOINTS: 'shop/*=http://user:secret@127.0.0.1:1/{function.name}',
    }
    const gateway = await startGateway(env, { logger: { level: 'info', stream } })
    await gateway.close()
    const told = lines.filter((line) => line.includes('without a cluster')).join()
    expect(told).toContain('http://127.0.0.1:1/{function.name}')
    expect(lines.join()).not.toContain('secret')
  })

  it('is written as a pattern and a URL, or as a URL alone', () => {
    expect(parseEndpoint('shop/*=http://h:1/p?a=b')).toEqual({
      functions: 'shop/*',
      urlPathTemplate: 'http://h:1/p?a=b',
    })
    expect(parseEndpoint('https://h/p?a=b')).toEqual({ functions: '*', urlPathTemplate: 'https://h/p?a=b' })
    expect(() => parseEndpoint('shop/*')).toThrow(/not an endpoint/)
  })
})

describe('an address', () => {
  it('has its type behind the last slash', () => {
    expect(addressOf('a/b/c', 'x/y')).toEqual({ namespace: 'a/b', type: 'c', id: 'x/y' })
  })

  it('is a place of its own, wherever its slashes stand', () => {
    const places = [
      { namespace: 'a', type: 'b', id: 'c/d' },
      { namespace: 'a/b', type: 'c', id: 'd' },
      { namespace: 'a', type: 'b/c', id: 'd' },
      { namespace: '', type: 'a', id: 'b/c/d' },
    ].map(placeOf)
    expect(new Set(places).size).toBe(places.length)
  })
})
