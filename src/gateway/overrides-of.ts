import { existsSync } from 'node:fs'
import { loadOverrides, noOverrides, type Overrides } from '../entity-registry/overrides.ts'
import type { Config } from './config.ts'

/** What the operator says of the entities. @throws MetadataError, and Error where the file is missing */
export function overridesOf({ overrides: file }: Pick<Config, 'overrides'>): Overrides {
  if (file === undefined) return noOverrides
  if (!existsSync(file)) throw new Error(`GATEWAY_OVERRIDES: there is no file "${file}".`)
  return loadOverrides(file)
}
