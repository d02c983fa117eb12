import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadMetadata } from '../../src/entity-registry/load-metadata.ts'
import { type MalformedRequest, malformedKinds, malformedRequests } from '../helpers/malformed-requests.ts'
import { buildScriptedApp, type ScriptedApp } from '../helpers/scripted-app.ts'

let scripted: ScriptedApp
let port = 0
beforeAll(async () => {
  const [loaded] = loadMetadata(['test/golden/stateflow/demo.metadata.json'])
  scripted = buildScriptedApp({ entities: loaded?.document.entities ?? [] })
  await scripted.app.listen({ host: '127.0.0.1', port: 0 })
  port = scripted.app.addresses()[0]?.port ?? 0
})
afterAll(() => scripted.app.close())

/** `fetch` would mend some of these requests. */
function send({ verb, path, body, headers = {} }: MalformedRequest) {
  return new Promise<{ status: number; type: string | undefined; text: string }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method: verb, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'],
          text: Buffer.concat(chunks).toString(),
        }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('the bulwark', () => {
  it('knows 25 kinds of malformed requests or more, 200 in all', () => {
    expect(malformedKinds.length).toBeGreaterThanOrEqual(25)
    expect(malformedRequests.length).toBeGreaterThanOrEqual(200)
  })

  it.each(malformedKinds)('refuses: %s', async (kind) => {
    for (const malformed of malformedRequests.filter((one) => one.kind === kind)) {
      const { status, type, text } = await send(malformed)
      expect.soft(`${status}`, `${malformed.verb} ${malformed.path.slice(0, 80)}`).toMatch(/^4\d\d$/)
      expect.soft(type).toBe('application/problem+json')
      expect.soft(JSON.parse(text)).toMatchObject({ outcome: 'not_sent', status })
    }
    expect(scripted.invocations).toEqual([])
  })
})
