import type { MetadataDocument } from '../../entity-registry/metadata-schema.ts'
import { asRecord } from '../../entity-registry/plain-record.ts'
import { dispatchRoute } from './dispatch-message.ts'
import { hasFunction } from './ingress.ts'
import type { StatefunModule } from './module-file.ts'

/** The settings that a module implies, what it leaves open, and what in it would lose calls. */
export function moduleNotes(module: StatefunModule, document: MetadataDocument): readonly string[] {
  const isStateflow = module.topics.some(({ valueType }) => valueType === 'stateflow/byte_type')
  return [
    ...(isStateflow
      ? ['These functions are StateFlow’s: exporters/stateflow writes their metadata, for the runtime "stateflow".']
      : []),
    ...settingNotes(module),
    ...topicNotes(module, document),
    ...document.entities.flatMap((entity) => entityNotes(entity, module)),
    ...(asRecord(document.runtime)?.replyTopics === undefined
      ? [
          'The module does not say which topics functions answer to: set "runtime.replyTopics", or STATEFUN_REPLY_TOPICS.',
        ]
      : []),
    ...deliveryNotes(module),
    ...module.unused.map((name) => `The component ${name} is not used: the gateway speaks Kafka and HTTP endpoints.`),
  ]
}

function settingNotes({ ingresses, topics }: StatefunModule): readonly string[] {
  const addresses = [...new Set(ingresses.map(({ address }) => address).filter((address) => address !== ''))]
  const dispatch = topics.find(({ targets }) => targets.includes(dispatchRoute.functionType))
  return [
    ...(addresses.length === 1 ? [`Set KAFKA_BROKERS=${addresses[0]}.`] : []),
    ...(addresses.length > 1
      ? [
          `The ingresses are at ${addresses.join(' and at ')}; one instance of the gateway's runtimes reaches one of them.`,
        ]
      : []),
    ...(dispatch === undefined ? [] : [`Set STATEFUN_DISPATCH_TOPIC=${dispatch.topic}.`]),
  ]
}

function topicNotes({ topics }: StatefunModule, { entities }: MetadataDocument): readonly string[] {
  const described = new Set(entities.map(({ runtime }) => runtime?.function))
  return topics.flatMap(({ topic, targets }) => {
    const missing = targets.filter((target) => target !== dispatchRoute.functionType && !described.has(target))
    if (targets.length > 1) {
      return [
        `The topic ${topic} leads to ${targets.join(' and ')}: each call runs all of them. The first answer counts, the others are dropped as duplicates.`,
        ...(missing.length === targets.length
          ? [`No entity is made of ${topic}: name the one that answers in a functions file.`]
          : []),
      ]
    }
    return missing.length > 0 ? [`No entity is described for ${missing[0]} (topic ${topic}).`] : []
  })
}

function entityNotes(
  { name, methods, create, runtime }: MetadataDocument['entities'][number],
  module: StatefunModule,
): readonly string[] {
  const functionType = String(runtime?.function)
  const leading = module.topics.filter(({ targets }) => targets.includes(functionType))
  const isEmpty = methods.length === 0 && create === undefined && asRecord(runtime?.state) === undefined
  const isBare = String(runtime?.valueType).startsWith('io.statefun.types/') && runtime?.correlation !== 'dispatch'
  return [
    ...(isEmpty
      ? [
          `${name} (${functionType}) has no methods: describe them, with its key, and give the result to --functions the next time.`,
        ]
      : []),
    ...(isBare
      ? [
          `${name} takes bare values (${runtime?.valueType}), which carry no correlation id: it needs "correlation": "dispatch".`,
        ]
      : []),
    ...(leading.length > 1
      ? [`${leading.map(({ topic }) => topic).join(' and ')} lead to ${functionType}; ${name} uses ${runtime?.topic}.`]
      : []),
    ...(module.endpoints.some((endpoint) => hasFunction(endpoint, functionType))
      ? []
      : [`No endpoint of the module serves ${functionType}: a message to it would end the job.`]),
  ]
}

function deliveryNotes({ ingresses, egresses }: StatefunModule): readonly string[] {
  return [
    ...ingresses
      .filter(({ startupPosition }) => startupPosition === 'latest')
      .map(
        ({ id }) =>
          `${id} starts at "latest": calls that are made while the cluster is down are lost. Use "group-offsets", with autoOffsetResetPosition "earliest".`,
      ),
    ...egresses
      .filter(({ delivery }) => delivery === 'none')
      .map(({ id }) => `${id} delivers with "none": answers may be lost, and calls then end at their deadline.`),
    ...egresses
      .filter(({ delivery }) => delivery === 'exactly-once')
      .map(
        ({ id }) =>
          `${id} is exactly-once: an answer waits for the next checkpoint, unless KAFKA_ISOLATION=uncommitted.`,
      ),
    ...(egresses.length === 0 ? ['The module has no Kafka egress, so functions have no way to answer.'] : []),
  ]
}
