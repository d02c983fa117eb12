import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { AdapterContext, Capabilities, Invocation, Outcome, RuntimeAdapter } from '../contract.ts'
import type { CommitResult } from '../sqlite/transaction.ts'
import { createDefects } from './defects.ts'
import type { EntityDefinition } from './define-entity.ts'
import { DefinitionsError } from './definitions-error.ts'
import { compileModel, type EntityModel } from './entity-model.ts'
import { execute } from './execute.ts'
import { SqliteStateStore } from './sqlite-state-store.ts'
import { createMemoryStore, type StateStore } from './state-store.ts'

/**
 * At most once: a call that was answered has run exactly once, but one that waits for its commit when the process is
 * killed is lost, and nobody sends it again.
 */
const capabilities: Capabilities = {
  create: true,
  find: true,
  readState: true,
  readAttribute: true,
  writeAttribute: true,
  enforcesReadOnly: true,
  atomic: true,
  delivery: 'at-most-once',
}

export interface EmbeddedAdapterOptions {
  readonly definitions: readonly EntityDefinition[]
  /** Where states are kept; `undefined`: in memory. */
  readonly dataFolder?: string | undefined
  readonly context: AdapterContext
  /** Instead of the store that `dataFolder` says. */
  readonly store?: StateStore
}

/** Entities that live in this process. One call runs to its end before the next begins. */
export function createEmbeddedAdapter(options: EmbeddedAdapterOptions): RuntimeAdapter {
  const { definitions, dataFolder, context } = options
  const store =
    options.store ?? (dataFolder === undefined ? createMemoryStore() : new SqliteStateStore({ folder: dataFolder }))
  const models = new Map(definitions.map((definition) => [definition.name, compileModel(definition)]))
  const defects = createDefects(context.log)
  const counts = { calls: 0, rolledBack: 0 }
  let phase: 'new' | 'open' | 'closed' = 'new'

  const invoke = (invocation: Invocation): Promise<Outcome> => {
    if (phase !== 'open') return Promise.resolve(notSent(phase))
    if (Date.now() >= invocation.deadline) return Promise.resolve(TOO_LATE)
    counts.calls += 1
    const { outcome, hasWritten, error } = execute({ models, store }, invocation)
    if (error !== undefined) defects.note(invocation, error)
    if (outcome.kind === 'raised') counts.rolledBack += 1
    // What a call has read may be a group's that is not committed yet: it waits with that group.
    const settled = store.settled()
    return settled === undefined
      ? Promise.resolve(outcome)
      : settled.then((result) => afterCommit(result, outcome, hasWritten))
  }

  return {
    name: 'embedded',
    capabilities,
    async start() {
      if (phase !== 'new') throw new Error('An adapter starts once.')
      for (const entity of context.entities) checkServed(entity, models)
      store.open([...models.values()])
      phase = 'open'
      const entities = [...models.keys()]
      context.log.info({ instance: context.instance, entities, dataFolder }, 'the embedded runtime is open')
    },
    invoke,
    // Entities are code, and code stays what it was when the process started: only what stands around them can change.
    prepare(entities) {
      for (const entity of entities) checkServed(entity, models)
      return { capabilities, commit() {} }
    },
    async health() {
      const { ok, detail } = phase === 'open' ? store.health() : { ok: false, detail: 'the runtime is not open' }
      return [{ name: 'store', ok, detail }]
    },
    counters: () => ({ ...counts, ...store.counters() }),
    async close() {
      if (phase === 'open') store.close()
      phase = 'closed'
    },
  }
}

const TOO_LATE: Outcome = {
  kind: 'not-sent',
  cause: 'overloaded',
  detail: 'The deadline had passed before the call could begin.',
}

function notSent(phase: 'new' | 'closed'): Outcome {
  return phase === 'closed'
    ? { kind: 'not-sent', cause: 'shutting-down', detail: 'The runtime is closed.' }
    : { kind: 'not-sent', cause: 'runtime-unavailable', detail: 'The runtime has not started.' }
}

/** The truth about a call whose group was committed, or was not. */
function afterCommit(result: CommitResult, outcome: Outcome, hasWritten: boolean): Outcome {
  if (result.kind === 'committed') return outcome
  const detail = `The states could not be stored: ${result.detail}.`
  return result.isCertain || !hasWritten
    ? { kind: 'not-sent', cause: 'runtime-unavailable', detail }
    : { kind: 'unknown', cause: 'connection-lost', detail, isFinal: true }
}

/** The metadata may be a file that is older than the entities. */
function checkServed(entity: EntityDescriptor, models: ReadonlyMap<string, EntityModel>): void {
  const model = models.get(entity.name)
  if (model === undefined)
    throw new DefinitionsError(
      `No entity "${entity.name}" is defined, but the metadata names it. Set GATEWAY_RUNTIME to the runtime that has it.`,
    )
  for (const name of entity.methods.keys()) {
    if (model.methods.has(name)) continue
    throw new DefinitionsError(`The entity "${entity.name}" has no method "${name}", but the metadata names it.`)
  }
}
