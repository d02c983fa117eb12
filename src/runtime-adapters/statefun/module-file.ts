import { didYouMean } from '../../entity-registry/nearest-name.ts'
import { type Endpoint, TYPE_NAME, TYPE_PATTERN } from './ingress.ts'
import { openYaml, type Place, YamlFileError } from './yaml-place.ts'

/** What a StateFun application's `module.yaml` says, as far as a gateway needs it. */
export interface StatefunModule {
  readonly endpoints: readonly Endpoint[]
  readonly topics: readonly ModuleTopic[]
  readonly ingresses: readonly ModuleIngress[]
  readonly egresses: readonly ModuleEgress[]
  /** Components that a gateway over Kafka can't use. */
  readonly unused: readonly string[]
}

export interface ModuleTopic {
  readonly topic: string
  readonly valueType: string
  readonly targets: readonly string[]
}

export interface ModuleIngress {
  readonly id: string
  readonly address: string
  /** `latest` is StateFun's default. */
  readonly startupPosition: string
}

export interface ModuleEgress {
  readonly id: string
  readonly address: string
  readonly delivery: string
}

/** One component, whichever format it is in. */
interface Component {
  readonly kind: 'endpoint' | 'kafka-ingress' | 'kafka-egress' | 'other'
  readonly name: string
  readonly id: Place
  readonly spec: Place
}

const kinds: Readonly<Record<string, Component['kind']>> = {
  'io.statefun.endpoints.v2/http': 'endpoint',
  'io.statefun.endpoints.v1/http': 'endpoint',
  'io.statefun.kafka.v1/ingress': 'kafka-ingress',
  'io.statefun.kafka.v1/egress': 'kafka-egress',
  'io.statefun.kinesis.v1/ingress': 'other',
  'io.statefun.kinesis.v1/egress': 'other',
}

/**
 * Reads the formats of StateFun 3.x: one component a document (`kind`, `spec`), and version 3.0, which has all of them in one.
 * @throws YamlFileError with every problem and its line
 */
export function readModule(file: string, text: string): StatefunModule {
  const { documents, problems } = openYaml(file, text)
  const components = documents.flatMap(componentsIn)
  const of = (kind: Component['kind']) => components.filter((component) => component.kind === kind)
  const module: StatefunModule = {
    endpoints: of('endpoint').map(({ spec }) => readEndpoint(spec)),
    topics: of('kafka-ingress').flatMap(({ spec }) => spec.at('topics').items().map(readTopic)),
    ingresses: of('kafka-ingress').map(({ id, spec }) => ({
      id: id.needed(),
      address: addressOf(spec),
      startupPosition: spec.at('startupPosition', 'type').text() ?? 'latest',
    })),
    egresses: of('kafka-egress').map(({ id, spec }) => ({
      id: id.needed(),
      address: addressOf(spec),
      delivery: spec.at('deliverySemantic', 'type').text() ?? 'at-least-once',
    })),
    unused: of('other').map(({ name }) => name),
  }
  if (components.length === 0)
    throw new YamlFileError([...problems, `${file}:1: no component of a StateFun module is in it.`])
  if (problems.length > 0) throw new YamlFileError(problems)
  return module
}

function componentsIn(document: Place): readonly Component[] {
  const kind = document.at('kind').text()
  if (kind !== undefined) {
    const spec = document.at('spec')
    if (spec.value === undefined) document.report(`${kind} has no "spec".`)
    const hint = kinds[kind] === undefined ? didYouMean(kind, Object.keys(kinds)) : undefined
    if (hint !== undefined) document.at('kind').report(`"${kind}" is not known. ${hint}`)
    return [{ kind: kinds[kind] ?? 'other', name: kind, id: spec.at('id'), spec }]
  }
  const spec = document.at('module', 'spec')
  if (spec.value !== undefined) return componentsOfVersion3(spec)
  document.report('is neither a component ("kind" and "spec") nor a module of version 3.0 ("module.spec").')
  return []
}

function componentsOfVersion3(module: Place): readonly Component[] {
  const list = (plural: string, singular: string, kindOf: (meta: Place) => Component['kind']): readonly Component[] =>
    module
      .at(plural)
      .items()
      .map((item) => {
        const meta = item.at(singular, 'meta')
        const name = meta.at('type').text() ?? meta.at('kind').text() ?? singular
        return { kind: kindOf(meta), name, id: meta.at('id'), spec: item.at(singular, 'spec') }
      })
  return [
    ...list('endpoints', 'endpoint', (meta) => (meta.at('kind').text() === 'http' ? 'endpoint' : 'other')),
    ...list('ingresses', 'ingress', (meta) =>
      meta.at('type').text() === 'io.statefun.kafka/ingress' ? 'kafka-ingress' : 'other',
    ),
    ...list('egresses', 'egress', (meta) =>
      meta.at('type').text() === 'io.statefun.kafka/egress' ? 'kafka-egress' : 'other',
    ),
  ]
}

function readEndpoint(spec: Place): Endpoint {
  const batch = spec.at('maxNumBatchRequests').value
  // Version 1 has its timeouts beside the rest.
  const timeouts =
    spec.at('transport', 'timeouts').value === undefined ? spec.at('timeouts') : spec.at('transport', 'timeouts')
  const call = durationMs(timeouts.at('call'))
  const connect = durationMs(timeouts.at('connect'))
  return {
    functions: typeName(spec.at('functions'), TYPE_PATTERN),
    urlPathTemplate: spec.at('urlPathTemplate').needed(),
    ...(typeof batch === 'number' ? { maxNumBatchRequests: batch } : {}),
    ...(call === undefined ? {} : { callTimeoutMs: call }),
    ...(connect === undefined ? {} : { connectTimeoutMs: connect }),
  }
}

function readTopic(place: Place): ModuleTopic {
  const targets = place.at('targets').items()
  if (targets.length === 0) place.report('has no "targets": its records go nowhere.')
  return {
    topic: resolved(place.at('topic')),
    valueType: typeName(place.at('valueType'), TYPE_NAME),
    targets: targets.map((target) => typeName(target, TYPE_NAME)),
  }
}

function typeName(place: Place, pattern: string): string {
  const name = resolved(place)
  if (name !== '' && !new RegExp(pattern).test(name))
    place.report(`is "${name}", which is not of the form namespace/type.`)
  return name
}

/** What Flink's configuration fills in at start can't be known here. */
function resolved(place: Place): string {
  const text = place.needed()
  if (text.includes('${')) place.report(`is "${text}", which only Flink's configuration resolves: write its value.`)
  return text
}

function addressOf(spec: Place): string {
  return spec.at('address').text() ?? ''
}

/** Milliseconds of Flink's units, without the plural's s. */
const units: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  milli: 1,
  millisecond: 1,
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
}

/** Flink's durations: `10s`, `2 min`, `500ms`; a bare number is milliseconds. */
function durationMs(place: Place): number | undefined {
  const text = place.text()
  if (text === undefined) return undefined
  const [, digits, unit = ''] = /^\s*(\d+)\s*([a-z]*)\s*$/.exec(text) ?? []
  const factor = units[unit] ?? units[unit.replace(/s$/, '')]
  if (digits !== undefined && factor !== undefined) return Math.min(3_600_000, Number(digits) * factor)
  place.report(`is "${text}", which is no duration that is known here, such as 10s or 2min.`)
  return undefined
}
