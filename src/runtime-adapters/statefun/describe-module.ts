import { checkDocument } from '../../entity-registry/load-metadata.ts'
import { MetadataError } from '../../entity-registry/metadata-error.ts'
import type { MetadataDocument } from '../../entity-registry/metadata-schema.ts'
import { didYouMean } from '../../entity-registry/nearest-name.ts'
import { asRecord, type PlainRecord } from '../../entity-registry/plain-record.ts'
import { dispatchRoute } from './dispatch-message.ts'
import type { ModuleTopic, StatefunModule } from './module-file.ts'
import { moduleNotes } from './module-notes.ts'
import { YamlFileError } from './yaml-place.ts'

/** What a person knows of the functions and no module says: a metadata document that may lack what the module has. */
export interface FunctionsFile {
  readonly file: string
  readonly content: unknown
}

export interface Described {
  readonly document: MetadataDocument
  /** For the person who has asked: what is still to be said, and what to watch in the module. */
  readonly notes: readonly string[]
}

/**
 * A metadata document out of a module: function types, topics, value types, endpoints, egress. Without a functions file it has an
 * entity for every function that a topic leads to, and no methods yet.
 * @throws YamlFileError, MetadataError with every problem
 */
export function describeModule(module: StatefunModule, functions?: FunctionsFile): Described {
  const given = asRecord(functions?.content) ?? {}
  const described = Array.isArray(given.entities) ? given.entities.map((entity) => asRecord(entity) ?? {}) : undefined
  const problems: string[] = []
  const shared = asRecord(given.runtime) ?? {}
  const entities = described
    ? described.map((entity, index) =>
        completeEntity(entity, {
          module,
          shared,
          report: (problem) => problems.push(`${functions?.file}#/entities/${index}: ${problem}`),
        }),
      )
    : skeletons(module)
  if (entities.length === 0) problems.push(NOTHING_FOUND)
  if (problems.length > 0) throw new YamlFileError(problems)
  const document: unknown = {
    formatVersion: 1,
    application: identifier(module.topics[0]?.targets[0]?.split('/')[0] ?? 'functions'),
    ...given,
    runtime: { ...shared, endpoints: module.endpoints, ...egressOf(module) },
    entities,
  }
  const invalid = checkDocument(functions?.file ?? 'the result', document)
  if (invalid.length > 0) throw new MetadataError(invalid)
  // The check above is what makes this true.
  const checked = document as MetadataDocument
  return { document: checked, notes: moduleNotes(module, checked) }
}

const NOTHING_FOUND =
  'No topic of the module leads to one function alone. Describe the functions, and give the result to --functions.'

interface EntityContext {
  readonly module: StatefunModule
  /** The document's `runtime`. */
  readonly shared: PlainRecord
  readonly report: (problem: string) => void
}

function completeEntity(entity: PlainRecord, { module, shared, report }: EntityContext): PlainRecord {
  const own = asRecord(entity.runtime) ?? {}
  const { function: functionType, topic: wanted, correlation } = { ...shared, ...own }
  if (typeof functionType !== 'string') {
    report('its "runtime.function" is missing, so nothing in the module is known to be about it.')
    return entity
  }
  const leading = (type: string) => module.topics.filter(({ targets }) => targets.includes(type))
  if (correlation === 'dispatch') {
    if (leading(dispatchRoute.functionType).length === 0) {
      report(`it has "correlation": "dispatch", and no topic of the module leads to ${dispatchRoute.functionType}.`)
    }
    return entity
  }
  const topics = leading(functionType)
  const found = wanted === undefined ? topics[0] : topics.find(({ topic }) => topic === wanted)
  if (found === undefined) {
    const hint = didYouMean(functionType, new Set(module.topics.flatMap(({ targets }) => targets)))
    const through = wanted === undefined ? 'no topic of the module leads' : `the topic "${wanted}" does not lead`
    report(`${through} to ${functionType}.${hint === undefined ? '' : ` ${hint}`}`)
    return entity
  }
  return { ...entity, runtime: { ...own, function: functionType, topic: found.topic, valueType: found.valueType } }
}

/** A topic with several targets would run each of them at one call, so nothing is made of it unasked. */
function skeletons({ topics }: StatefunModule): readonly PlainRecord[] {
  const byFunction = new Map<string, ModuleTopic>()
  for (const topic of topics) {
    const [target, ...others] = topic.targets
    const isUsable = target !== undefined && others.length === 0 && target !== dispatchRoute.functionType
    if (isUsable && !byFunction.has(target)) byFunction.set(target, topic)
  }
  const names = [...byFunction.keys()].map((type) => entityName(type.slice(type.lastIndexOf('/') + 1)))
  return [...byFunction].map(([type, { topic, valueType }], index) => ({
    name: names.filter((name) => name === names[index]).length > 1 ? entityName(type) : names[index],
    key: { name: 'id', schema: { type: 'string' } },
    methods: [],
    runtime: { function: type, topic, valueType },
  }))
}

/** `order-line` → `OrderLine`. */
function entityName(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return identifier(words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(''))
}

function identifier(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_]/g, '_')
  return /^[A-Za-z_]/.test(name) ? name : `_${name}`
}

function egressOf({ egresses: [first, ...others] }: StatefunModule): PlainRecord {
  // Which of several egresses a function answers to is in its code.
  if (first === undefined || others.some(({ delivery }) => delivery !== first.delivery)) return {}
  const { id, delivery } = first
  if (delivery !== 'at-least-once' && delivery !== 'exactly-once') return {}
  return { egress: { ...(others.length === 0 ? { id } : {}), delivery } }
}
