import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { checkDocument } from '../../src/entity-registry/load-metadata.ts'
import type { Log } from '../../src/runtime-adapters/contract.ts'
import { createEmbeddedAdapter } from '../../src/runtime-adapters/embedded/adapter.ts'
import type { EntityDefinition } from '../../src/runtime-adapters/embedded/define-entity.ts'
import type { StateStore } from '../../src/runtime-adapters/embedded/state-store.ts'
import { toMetadata } from '../../src/runtime-adapters/embedded/to-metadata.ts'
import type { RuntimeUnderTest } from './runtime-adapter.ts'

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

export interface EmbeddedRuntimeOptions {
  readonly definitions: readonly EntityDefinition[]
  readonly dataFolder?: string
  readonly store?: StateStore
}

/** An embedded runtime whose descriptors went the same way as the gateway's: over the metadata document. */
export function embeddedRuntime({ definitions, ...options }: EmbeddedRuntimeOptions): RuntimeUnderTest {
  const instance = 'embedded'
  const document = toMetadata({ definitions, application: 'test', instance })
  const problems = checkDocument('test', document)
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  const entities = compileEntities([{ file: 'test', document }])
  const context = { instance, entities, log: silentLog }
  return { adapter: createEmbeddedAdapter({ definitions, context, ...options }), entities }
}
