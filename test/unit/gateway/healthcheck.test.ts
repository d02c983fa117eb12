import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { healthUrl } from '../../../src/gateway/healthcheck.ts'

describe('the address that a health check asks', () => {
  it.each([
    ['live', {}, 'http://127.0.0.1:8000/-/livez'],
    ['ready', { HOST: '0.0.0.0', PORT: '1' }, 'http://127.0.0.1:1/-/readyz'],
    ['live', { HOST: '::1', PORT: '1' }, 'http://[::1]:1/-/livez'],
    ['live', { PORT: '1', MANAGEMENT_PORT: '2' }, 'http://127.0.0.1:2/-/livez'],
    ['live', { PORT: '1', MANAGEMENT_PORT: '2', MANAGEMENT_HOST: '10.0.0.1' }, 'http://10.0.0.1:2/-/livez'],
    ['ready', { PORT: '1', MANAGEMENT_PORT: '2' }, 'http://127.0.0.1:1/-/readyz'],
    ['http://here/', { MANAGEMENT_PORT: '2' }, 'http://here/'],
  ])('for %s with %j', (what, variables, url) => {
    expect(healthUrl(what, variables)).toBe(url)
  })
})

describe('the manifests', () => {
  it('ask whether the process lives where callers can’t use up the connections', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docker/kubernetes/deployment.yaml'), 'utf8')
    const asked = [...text.matchAll(/path: (\/-\/\w+), port: (\w+)/g)].map(([, path, port]) => [path, port])
    expect(asked).toEqual([
      ['/-/livez', 'management'],
      ['/-/livez', 'management'],
      ['/-/readyz', 'http'],
    ])
  })
})
