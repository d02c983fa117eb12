import { createServer } from 'node:http'
import fastify from 'fastify'
import { expect, it } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import { serverLimits } from '../../../src/gateway/plugins/request-limits.ts'

it.each(['100', '300001', '3600000'])(
  'headers may take %s ms, however long Node would let a request be',
  async (ms) => {
    const env = { GATEWAY_RUNTIME: 'embedded', GATEWAY_HEADERS_TIMEOUT_MS: ms }
    const limits = serverLimits(readConfig({ env, argv: [] }).config.http)
    const app = fastify(limits)
    await app.ready()
    for (const server of [app.server, createServer(limits.http)]) {
      expect(server).toMatchObject({ headersTimeout: Number(ms), requestTimeout: 0 })
    }
    await app.close()
  },
)
