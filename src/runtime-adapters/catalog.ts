import type { LoadedDocument } from '../entity-registry/load-metadata.ts'
import type { AdapterContext, RuntimeAdapter } from './contract.ts'
import { createEmbedded, describeEmbedded } from './embedded/create.ts'
import type { EmbeddedOptions } from './embedded/options.ts'
import type { KafkaOptions } from './kafka/options.ts'
import type { PendingLimits } from './kafka/pending-calls.ts'
import { createStateflow } from './stateflow/create.ts'
import type { StateflowOptions } from './stateflow/options.ts'
import { createStatefun } from './statefun/create.ts'
import type { StatefunOptions } from './statefun/options.ts'
import { createStatefunEndpoint } from './statefun-endpoint/create.ts'
import type { StatefunEndpointOptions } from './statefun-endpoint/options.ts'

/** Everything an instance may be configured with; each adapter takes what is its own. */
export interface AdapterOptions {
  readonly kafka: KafkaOptions
  readonly stateflow: StateflowOptions
  readonly statefun: StatefunOptions
  readonly statefunEndpoint: StatefunEndpointOptions
  readonly embedded: EmbeddedOptions
  readonly limits: PendingLimits
  /** Documents describe entities. */
  readonly hasMetadata?: boolean
}

export interface AdapterEntry {
  create(options: AdapterOptions, context: AdapterContext): Promise<RuntimeAdapter>
  /** Metadata of entities that the runtime itself knows; the others' come from documents alone. */
  readonly describe?: (options: AdapterOptions, instance: string) => Promise<readonly LoadedDocument[]>
}

/** Every runtime that can be spoken to: one line an adapter. */
export const adapters = {
  embedded: { create: createEmbedded, describe: describeEmbedded },
  stateflow: { create: createStateflow },
  statefun: { create: createStatefun },
  'statefun-endpoint': { create: createStatefunEndpoint },
} as const satisfies Readonly<Record<string, AdapterEntry>>

export type AdapterName = keyof typeof adapters
export const adapterNames = Object.keys(adapters) as readonly AdapterName[]
