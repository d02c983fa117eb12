import { expect, it } from 'vitest'
import { registerDoor } from '../../../src/gateway/limits/door.ts'
import { buildScriptedApp } from '../../helpers/scripted-app.ts'

it('refuses calls before their bodies are read, and nothing that says how the gateway is', async () => {
  let shed = 0
  const { app, invocations } = buildScriptedApp({
    entities: [
      { name: 'Account', key: { name: 'id', schema: { type: 'string' } }, methods: [{ name: 'add', params: [] }] },
    ],
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
