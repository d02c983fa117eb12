import { existsSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkDocument, type LoadedDocument } from '../../entity-registry/load-metadata.ts'
import { MetadataError } from '../../entity-registry/metadata-error.ts'
import type { AdapterContext, RuntimeAdapter } from '../contract.ts'
import { createEmbeddedAdapter } from './adapter.ts'
import { DefinitionsError } from './definitions-error.ts'
import { loadDefinitions } from './load-definitions.ts'
import type { EmbeddedOptions } from './options.ts'
import { toMetadata } from './to-metadata.ts'

interface Options {
  readonly embedded: EmbeddedOptions
  /** There are documents, so the shop isn't wanted. */
  readonly hasMetadata?: boolean
}

/** @throws DefinitionsError */
export async function createEmbedded(options: Options, context: AdapterContext): Promise<RuntimeAdapter> {
  const file = entitiesFile(options)
  const definitions = file === undefined ? [] : await loadDefinitions(file)
  return createEmbeddedAdapter({ definitions, dataFolder: options.embedded.dataFolder, context })
}

/** The metadata of the entities themselves. @throws DefinitionsError, MetadataError */
export async function describeEmbedded(options: Options, instance: string): Promise<readonly LoadedDocument[]> {
  const file = entitiesFile(options)
  if (file === undefined) return []
  const document = toMetadata({ definitions: await loadDefinitions(file), application: applicationOf(file), instance })
  const problems = checkDocument(file, document)
  if (problems.length > 0) throw new MetadataError(problems)
  return [{ file, document }]
}

/** The shop stands in a checkout, not in the published package. */
function entitiesFile({ embedded: { entities }, hasMetadata = false }: Options): string | undefined {
  if (entities !== undefined || hasMetadata) return entities
  const shop = fileURLToPath(new URL('../../../examples/shop/shop.ts', import.meta.url))
  if (existsSync(shop)) return shop
  throw new DefinitionsError('There are no entities. Set GATEWAY_ENTITIES to the module that exports yours.')
}

/** `my-shop.ts` → `my_shop` */
function applicationOf(file: string): string {
  const name = basename(file, extname(file)).replaceAll(/[^A-Za-z0-9_]/g, '_')
  return /^\d/.test(name) ? `_${name}` : name
}
