import { copyFileSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { loadMetadata } from '../../src/entity-registry/load-metadata.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { createStatefunEndpoint } from '../../src/runtime-adapters/statefun-endpoint/create.ts'
import { silentLog } from '../conformance/embedded-runtime.ts'
import { describeRuntimeAdapter } from '../conformance/runtime-adapter.ts'
import { root } from '../helpers/gateway-process.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { callerOf, describeShopTranscript, digitsBack } from '../helpers/shop-transcript.ts'
import { stateflowUnavailable } from '../helpers/stateflow-runtime.ts'
import { pythonEnvironment, RUNTIMES, requirePath, virtualEnvironment } from '../helpers/stateflow-sources.ts'
import { type Functions, startFunctions } from '../helpers/statefun-functions.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'
import { unique } from '../helpers/unique.ts'

/** StateFlow's own StateFun runtime, unmodified, called by the gateway itself: no Flink, no Kafka. */

const folder = join(root, 'examples/stateflow-python')
const metadata = join(folder, 'metadata.json')

/** The README's second command, in this folder. */
async function serve(module = 'demo_common', workingFolder = root): Promise<Functions> {
  const requirements = relative(RUNTIMES, join(folder, 'requirements.txt'))
  const python = await virtualEnvironment('stateflow-python-venv', requirements)
  // Compiled files are kept outside of the sources, whatever the surroundings say: without them a start takes minutes.
  const environment = { ...pythonEnvironment([requirePath('STATEFLOW_HOME')]), PYTHONDONTWRITEBYTECODE: '' }
  const variables = Object.entries(environment).map((entry) => entry.join('='))
  const command = [python, join(folder, 'serve.py'), module]
  return startFunctions('/usr/bin/env', [...variables, ...command], 'client_reply', workingFolder)
}

const variablesFor = ({ url }: Functions) => ({
  GATEWAY_RUNTIME: 'statefun-endpoint',
  GATEWAY_METADATA: metadata,
  STATEFUN_ENDPOINT_DIALECT: 'stateflow',
  STATEFUN_ENDPOINTS: url,
})

it('describes the demo’s classes as the exporter does, for another instance', () => {
  const golden = JSON.parse(readFileSync(join(root, 'test/golden/stateflow/demo.metadata.json'), 'utf8'))
  golden.runtime.name = 'statefun-endpoint'
  expect(JSON.parse(readFileSync(metadata, 'utf8'))).toEqual(golden)
})

const reason = stateflowUnavailable()
describe.skipIf(reason !== undefined)(
  `StateFlow without a cluster${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    const data = createTemporaryFolder()
    let functions: Functions
    let gateway: RunningGateway
    beforeAll(async () => {
      functions = await serve()
      gateway = await startGateway({ ...variablesFor(functions), STATEFUN_DATA_FOLDER: data.path })
    }, 600_000)
    afterAll(async () => {
      await gateway?.close()
      await functions?.close()
      data.close()
    })

    describeShopTranscript('unmodified StateFlow, without Flink and Kafka', () => gateway.url)

    it('keeps 64-bit integers to the last digit', async () => {
      await callerOf(gateway.url)('POST', '/item', { item_name: 'digits', price: 1 })
      const call = { write: '/item/digits/set_stock', body: '{"amount":9007199254740993}', read: '/item/digits/stock' }
      expect(await digitsBack(gateway.url, call)).toBe('9007199254740993')
    })

    it('serves a module of the folder that it is started in', async () => {
      const own = createTemporaryFolder()
      const modules = join(root, 'exporters/stateflow/tests/modules')
      copyFileSync(join(modules, 'entity_state.py'), join(own.path, 'own_entities.py'))
      const served = await serve('own_entities', own.path)
      await served.close()
      own.close()
      expect(served.output()).toContain("operators with the names: ['Tank']")
    }, 120_000)

    it('is ready, by the runtime’s own word', async () => {
      const { body } = await callerOf(gateway.url)('GET', '/-/readyz?verbose')
      expect(body).toMatchObject({
        status: 'ready',
        checks: expect.arrayContaining([
          { name: 'statefun-endpoint: stateflow runtime', ok: true, detail: 'It answers.' },
        ]),
      })
    })

    it('has its entities after a restart of the gateway', async () => {
      const first = callerOf(gateway.url)
      const survivor = unique('survivor')
      await first('POST', '/user', { username: survivor })
      await first('POST', `/user/${survivor}/update_balance`, { x: 41 })
      await gateway.close()
      gateway = await startGateway({ ...variablesFor(functions), STATEFUN_DATA_FOLDER: data.path })
      expect((await callerOf(gateway.url)('POST', `/user/${survivor}/get_balance`)).body).toBe(42)
    })

    describeRuntimeAdapter('StateFlow over statefun-endpoint', async () => {
      const own = await serve()
      const { config } = readConfig({ env: variablesFor(own), argv: [] })
      const entities = compileEntities(loadMetadata([metadata]))
      const limits = { maxCalls: 1_000, maxBytes: 10_000_000 }
      const context = { instance: 'statefun-endpoint', entities, log: silentLog }
      return { adapter: await createStatefunEndpoint({ ...config, limits }, context), entities, dispose: own.close }
    })
  },
)
