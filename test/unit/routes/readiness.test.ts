import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../../src/entity-registry/registry.ts'
import { answerFailures } from '../../../src/routes/failures.ts'
import { ProblemError } from '../../../src/routes/problem.ts'
import { registerSystemRoutes } from '../../../src/routes/system-routes.ts'

const down = { name: 'kafka', ok: false, detail: 'No broker answers at secret-broker:9092.' }

function build(isManaged: boolean) {
  const app = fastify()
  answerFailures(app, createRegistry([]))
  registerSystemRoutes(app, {
    ...{ entities: [], checks: async () => [down], isManaged },
    capabilitiesOf: () => {
      throw new Error('there is no entity')
    },
    checkManagement({ headers }) {
      if (headers['x-api-key'] !== 'manager') throw new ProblemError('unauthenticated', { detail: 'Who?' })
    },
  })
  return app
}

describe('/-/readyz', () => {
  it('names what fails to those who manage the gateway', async () => {
    const answer = await build(true).inject({ url: '/-/readyz', headers: { 'x-api-key': 'manager' } })
    expect([answer.statusCode, answer.json().detail]).toEqual([503, `kafka: ${down.detail}`])
  })

  it.each(['/-/readyz', '/-/readyz?verbose'])('names nothing to others: %s', async (url) => {
    const answer = await build(true).inject(url)
    expect(answer.statusCode).toBe(url.endsWith('verbose') ? 401 : 503)
    expect(answer.body).not.toContain('secret-broker')
  })

  it('names nothing where management has a port of its own', async () => {
    for (const url of ['/-/readyz', '/-/readyz?verbose']) {
      const answer = await build(false).inject({ url, headers: { 'x-api-key': 'manager' } })
      expect(answer.statusCode).toBe(503)
      expect(answer.body).not.toMatch(/secret-broker|kafka/)
    }
  })
})
