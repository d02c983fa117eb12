import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadMetadata } from '../../src/entity-registry/load-metadata.ts'
import { malformedKinds, malformedRequests } from '../helpers/malformed-requests.ts'
import { buildScriptedApp, type ScriptedApp } from '../helpers/scripted-app.ts'
import { sendRaw } from '../helpers/send-raw.ts'

let scripted: ScriptedApp
let url = ''
beforeAll(async () => {
  const [loaded] = loadMetadata(['test/golden/stateflow/demo.metadata.json'])
  scripted = buildScriptedApp({ entities: loaded?.document.entities ?? [] })
  url = await scripted.app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => scripted.app.close())

describe('the bulwark', () => {
  it('knows 25 kinds of malformed requests or more, 200 in all', () => {
    expect(malformedKinds.length).toBeGreaterThanOrEqual(25)
    expect(malformedRequests.length).toBeGreaterThanOrEqual(200)
  })

  it.each(malformedKinds)('refuses: %s', async (kind) => {
    for (const malformed of malformedRequests.filter((one) => one.kind === kind)) {
      const { status, type, text } = await sendRaw(url, malformed)
      expect.soft(`${status}`, `${malformed.verb} ${malformed.path.slice(0, 80)}`).toMatch(/^4\d\d$/)
      expect.soft(type).toBe('application/problem+json')
      expect.soft(JSON.parse(text)).toMatchObject({ outcome: 'not_sent', status })
    }
    expect(scripted.invocations).toEqual([])
  })
})
