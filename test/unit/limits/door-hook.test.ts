import fastify from 'fastify'
import { expect, it } from 'vitest'
import type { MetadataDocument } from '../../../src/entity-registry/metadata-schema.ts'
import { registerDoor } from '../../../src/gateway/limits/door.ts'
import { BATCH_PATH } from '../../../src/routes/batch-schema.ts'
import { buildScriptedApp } from '../../helpers/scripted-app.ts'

const entities: MetadataDocument['entities'] = [
  { name: 'Account', key: { name: 'id', schema: { type: 'string' } }, methods: [{ name: 'add', params: [] }] },
]

it('refuses calls before their bodies are read, and nothing that says how the gateway is', async () => {
  let shed = 0
  const { app, invocations } = buildScriptedApp({
    entities,
    prepare: (instance) => {
      registerDoor(instance, { tick: () => undefined, letsIn: () => false }, () => {
        shed++
      })
    },
  })
  const headers = { 'content-type': 'application/json' }
  const refused = await app.inject({ method: 'POST', url: '/account/a/add', headers, payload: '{"not": JSON' })
  expect([refused.statusCode, refused.json().code, refused.json().outcome]).toEqual([503, 'overloaded', 'not_sent'])
  for (const url of ['/-/livez', '/-/readyz', '/-/entities']) {
    expect((await app.inject({ url })).statusCode, url).toBe(200)
  }
  expect([shed, invocations.length]).toEqual([1, 0])
  await app.close()
})

it('refuses batches, too', async () => {
  const app = fastify()
  registerDoor(app, { tick: () => undefined, letsIn: (isRead) => isRead }, () => undefined)
  app.post(BATCH_PATH, () => 'read')
  app.post('/-/of-the-gateway', () => 'read')
  const statusOf = async (url: string) => (await app.inject({ method: 'POST', url })).statusCode
  expect([await statusOf(BATCH_PATH), await statusOf('/-/of-the-gateway')]).toEqual([503, 200])
  await app.close()
})

it.each([
  ['GET', '/account/a', true],
  ['HEAD', '/account/a', true],
  ['POST', '/account/a/add', false],
] as const)('takes %s for a read or for none: %s', async (method, url, isRead) => {
  const asked: boolean[] = []
  const letsIn = (isReadOnly: boolean) => {
    asked.push(isReadOnly)
    return true
  }
  const { app } = buildScriptedApp({
    entities,
    prepare: (instance) => registerDoor(instance, { tick: () => undefined, letsIn }, () => undefined),
  })
  await app.inject({ method, url })
  expect(asked).toEqual([isRead])
  await app.close()
})
