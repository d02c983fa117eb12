import { describe, expect, it } from 'vitest'
import { parseRedisUrl } from '../../../src/gateway/invocations/redis-address.ts'

const plain = { tls: false, username: undefined, password: undefined, db: 0, master: undefined }

describe('REDIS_URL', () => {
  it.each([
    ['redis://cache', { ...plain, kind: 'single', hosts: [{ host: 'cache', port: 6379 }] }],
    ['redis://127.0.0.1:7000/3', { ...plain, kind: 'single', hosts: [{ host: '127.0.0.1', port: 7000 }], db: 3 }],
    ['rediss://[::1]:7000', { ...plain, kind: 'single', tls: true, hosts: [{ host: '::1', port: 7000 }] }],
    [
      'rediss://me:p%40ss%3Aword@cache',
      {
        ...plain,
        kind: 'single',
        tls: true,
        username: 'me',
        password: 'p@ss:word',
        hosts: [{ host: 'cache', port: 6379 }],
      },
    ],
    [
      'redis://:secret@cache/',
      { ...plain, kind: 'single', password: 'secret', hosts: [{ host: 'cache', port: 6379 }] },
    ],
    ['redis://me@cache:65535', { ...plain, kind: 'single', username: 'me', hosts: [{ host: 'cache', port: 65_535 }] }],
    [
      'redis+sentinel://one:26379, two:26380,three/mymaster/2',
      {
        ...plain,
        kind: 'sentinel',
        hosts: [
          { host: 'one', port: 26379 },
          { host: 'two', port: 26380 },
          { host: 'three', port: 26379 },
        ],
        master: 'mymaster',
        db: 2,
      },
    ],
    [
      'rediss+cluster://me:secret@one:7000,two',
      {
        ...plain,
        kind: 'cluster',
        tls: true,
        username: 'me',
        password: 'secret',
        hosts: [
          { host: 'one', port: 7000 },
          { host: 'two', port: 6379 },
        ],
      },
    ],
  ])('is understood: %s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })

  it.each([
    ['redis://', 'is not redis'],
    ['http://cache', 'is not redis'],
    ['redis://one,two', 'several hosts'],
    ['redis://cache/first', 'number of a database'],
    ['redis://cache/1/2', 'nothing is known of "/2"'],
    ['redis://cache:65536', 'is not HOST or HOST:PORT'],
    ['redis+sentinel://one:26379', 'master’s name'],
    ['redis+sentinel://one/mymaster/2/3', 'nothing is known of "/3"'],
    ['redis+cluster://one/1', 'no database but 0'],
    ['redis+cluster://one/0/1', 'nothing is known of "/1"'],
  ])('is refused with a reason: %s', (url, why) => {
    expect(() => parseRedisUrl(url)).toThrow(why)
  })

  it.each([
    ...['redis://me:hush%zz@cache', 'redis://me:hush@one,two', 'redis://me:hush@'],
    ...['redis://me:hush/x@cache', 'redis://me:1/hush@cache', 'redis://me:1/2/hush@cache', 'redis://me:hush@x@cache'],
    ...['redis+sentinel://me:1/main/hush@cache', 'redis+cluster://me:1/hush@cache', 'redis://me:hush/@cache'],
  ])('never shows its password: %s', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hush') }))
  })
})
