import process from 'node:process'
import { kindsByName } from '../../entity-registry/check-overrides.ts'
import { compileEntities } from '../../entity-registry/compile-entities.ts'
import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import { showChange } from '../../entity-registry/diff/entity-change.ts'
import { diffEntities } from '../../entity-registry/diff/metadata-diff.ts'
import { loadMetadata } from '../../entity-registry/load-metadata.ts'
import type { Overrides } from '../../entity-registry/overrides.ts'
import { type Config, ConfigError } from '../config.ts'
import { overridesOf } from '../overrides-of.ts'

/**
 * Prints what callers could notice between two sets of metadata; the process fails when something would break them.
 * @throws MetadataError where one of them can't be read
 */
export function printDiff([before, now, ...others]: readonly string[], config: Pick<Config, 'overrides'>): void {
  if (before === undefined || now === undefined || others.length > 0) {
    throw new ConfigError(['diff needs two files, folders or globs: diff OLD NEW'])
  }
  const overrides = overridesOf(config)
  const changes = diffEntities(entitiesOf(before, overrides), entitiesOf(now, overrides))
  for (const change of changes) process.stdout.write(`${change.breaks ? 'breaks' : 'fine  '}  ${showChange(change)}\n`)
  const breaking = changes.filter(({ breaks }) => breaks).length
  process.stdout.write(`${changes.length} changes, ${breaking} of them break callers\n`)
  if (breaking > 0) process.exitCode = 1
}

/** One overrides file for both: what it says of things that only the other has is none of this one's. */
function entitiesOf(pattern: string, { file, byName }: Overrides): readonly EntityDescriptor[] {
  const documents = loadMetadata([pattern])
  const names = kindsByName(documents.flatMap(({ document }) => document.entities))
  return compileEntities(documents, { file, byName: new Map([...byName].filter(([name]) => names.has(name))) })
}
