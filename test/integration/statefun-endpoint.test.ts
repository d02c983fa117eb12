import { join } from 'node:path'
import { describe } from 'vitest'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { loadMetadata } from '../../src/entity-registry/load-metadata.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { createStatefunEndpoint } from '../../src/runtime-adapters/statefun-endpoint/create.ts'
import { silentLog } from '../conformance/embedded-runtime.ts'
import { describeRuntimeAdapter } from '../conformance/runtime-adapter.ts'
import { root } from '../helpers/gateway-process.ts'
import { startTypescriptFunctions } from '../helpers/statefun-functions.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'

/** The example's functions, served by Apache's SDK for JavaScript, under the laws of every runtime. */
const metadata = join(root, 'examples/statefun-typescript/metadata.json')

describe.each(['memory', 'a folder'])('with its states in %s', (where) => {
  describeRuntimeAdapter('statefun-endpoint', async () => {
    const functions = await startTypescriptFunctions('shop-replies')
    const data = createTemporaryFolder()
    const env = {
      STATEFUN_ENDPOINTS: functions.url,
      ...(where === 'memory' ? {} : { STATEFUN_DATA_FOLDER: data.path }),
    }
    const { config } = readConfig({ env, argv: [] })
    const entities = compileEntities(loadMetadata([metadata]))
    const limits = { maxCalls: 1_000, maxBytes: 10_000_000 }
    const context = { instance: 'statefun-endpoint', entities, log: silentLog }
    return {
      adapter: await createStatefunEndpoint({ ...config, limits }, context),
      entities,
      dispose: async () => {
        await functions.close()
        data.close()
      },
    }
  })
})
