import type { MetadataDocument } from '../../src/entity-registry/metadata-schema.ts'
import type { Override } from '../../src/entity-registry/overrides.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { buildGateway, type Gateway } from '../../src/gateway/gateway.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

/** The gateway of a metadata document, for its routes and their OpenAPI document: nothing answers behind it. */
export async function gatewayOf(
  entities: MetadataDocument['entities'],
  overrides: Readonly<Record<string, Override>> = {},
): Promise<Gateway> {
  const folder = createTemporaryFolder()
  const runtime = { request: 'InvokeStateful' }
  const served = entities.map((entity) => ({
    ...entity,
    methods: entity.methods.map((method) => ({ ...method, runtime })),
  }))
  try {
    const variables = {
      GATEWAY_RUNTIME: 'stateflow',
      GATEWAY_METADATA: folder.write('entities.json', { formatVersion: 1, application: 'test', entities: served }),
      GATEWAY_OVERRIDES: folder.write('overrides.json', overrides),
    }
    return await buildGateway({ config: readConfig({ env: variables, argv: [] }).config, connect: false })
  } finally {
    folder.close()
  }
}
