import { defaultRule, refineRule } from './access-rule.ts'
import { overrideProblems } from './check-overrides.ts'
import { compileMethod, compileParameters, type MemberContext } from './compile-method.ts'
import { deepFreeze } from './deep-freeze.ts'
import type { AttributeDescriptor, EntityDescriptor, JsonSchema } from './descriptor.ts'
import { asDoubleBound } from './double-bounds.ts'
import { keyRing, keyType } from './key-type.ts'
import type { LoadedDocument } from './load-metadata.ts'
import { MetadataError, type MetadataProblem, pointerSegment } from './metadata-error.ts'
import type { MetadataEntity } from './metadata-schema.ts'
import { noOverrides, type Override, type Overrides } from './overrides.ts'
import { isReserved } from './route-path.ts'
import { compileType, type TypeContext } from './type-expression.ts'

/** Longest key in UTF-8 bytes. */
export const MAX_KEY_BYTES = 1024

/**
 * Checked documents → frozen descriptors. Whatever would make a wrong or missing route is found here.
 * @param onHint told of what is no failure
 * @throws MetadataError with every problem
 */
export function compileEntities(
  documents: readonly LoadedDocument[],
  overrides: Overrides = noOverrides,
  onHint: (hint: MetadataProblem) => void = () => undefined,
): readonly EntityDescriptor[] {
  const problems: MetadataProblem[] = []
  const sources = documents.flatMap((loaded) =>
    loaded.document.entities.map((entity, index) => ({ loaded, entity, pointer: `/entities/${index}` })),
  )
  const byName = new Map(sources.map(({ entity }) => [entity.name, entity]))
  const overrideOf = (name: string): Override => overrides.byName.get(name) ?? {}
  const keySchemaOf = (name: string): JsonSchema | undefined => {
    const entity = byName.get(name)
    return entity && keySchema(keyType(entity, byName))
  }
  const entities = sources
    .filter(({ entity }) => overrideOf(entity.name).expose !== false)
    .map(({ loaded, entity, pointer }) => {
      const report: MemberContext['report'] = (at, message, hint) =>
        problems.push({ file: loaded.file, pointer: `${pointer}${at}`, message, hint })
      const note: MemberContext['report'] = (at, message, hint) =>
        onHint({ file: loaded.file, pointer: `${pointer}${at}`, message, hint })
      const own = overrideOf(entity.name)
      const all = refineRule(defaultRule, own)
      const access = { all, create: refineRule(all, own.create), read: refineRule(all, own.read) }
      const types: TypeContext = { keySchemaOf, entityNames: [...byName.keys()], report, note }
      return compileEntity(
        entity,
        loaded,
        { types, report, access, overrideOf: (member) => overrideOf(`${entity.name}.${member}`) },
        own,
      )
    })
  problems.push(
    ...ringsOfKeys(sources, byName),
    ...overrideProblems(
      overrides,
      sources.map(({ entity }) => entity),
    ),
    ...duplicateProblems(sources, entities),
  )
  if (problems.length > 0) throw new MetadataError(problems)
  return deepFreeze(entities)
}

function compileEntity(
  entity: MetadataEntity,
  { document }: LoadedDocument,
  context: MemberContext,
  override: Override,
): EntityDescriptor {
  const { report, overrideOf, access } = context
  const members = [...entity.methods.map(({ name }) => name), ...Object.keys(entity.state ?? {})]
  const hidden = hiddenMembers(members, overrideOf)
  const isShown = (name: string) => !hidden.some((member) => member.name === name)
  const path = override.path?.replace(/^\//, '') ?? snakeCase(entity.name)
  if (isReserved(path)) {
    report(
      '/name',
      `its path "/${path}" belongs to the gateway.`,
      `Give it another one in the overrides file: {"${entity.name}": {"path": "…"}}.`,
    )
  }
  if (path.includes('{key}')) report('/name', `the overriding path "${path}" of an entity has no {key}.`)
  const methods = entity.methods.flatMap((method, index) =>
    isShown(method.name) ? [compileMethod(method, `/methods/${index}`, context)] : [],
  )
  checkRepeats(entity, report)
  return {
    name: entity.name,
    path,
    description: entity.description ?? '',
    application: document.application,
    runtimeName: document.runtime?.name ?? '',
    runtime: { ...document.runtime, ...entity.runtime },
    key: compileKey(entity, context),
    create: entity.create && compileCreate(entity, entity.create, context),
    access: { create: access.create, read: access.read },
    attributes: new Map(
      Object.entries(entity.state ?? {})
        .filter(([name]) => isShown(name))
        .map(([name, type]) => [name, compileAttribute(name, type, context)]),
    ),
    methods: new Map(methods.map((method) => [method.name, method])),
    hidden,
  }
}

function compileKey(entity: MetadataEntity, { types }: MemberContext): EntityDescriptor['key'] {
  compileType(entity.key.schema, '/key/schema', types)
  const schema = types.keySchemaOf(entity.name) ?? {}
  const { type } = schema
  // Of a reference this is said where it leads to.
  if (type !== 'string' && type !== 'integer' && !('entity' in entity.key.schema)) {
    types.report('/key/schema/type', `a key is a "string" or an "integer", not ${JSON.stringify(type)}.`)
  }
  return { name: entity.key.name, type: type === 'integer' ? 'integer' : 'string', schema }
}

function keySchema(given: JsonSchema = {}): JsonSchema {
  const schema: JsonSchema = Object.fromEntries(
    Object.entries(given).map(([keyword, value]) => [keyword, asDoubleBound(keyword, value)]),
  )
  if (schema.type !== 'string') return { format: 'int64', ...schema }
  return { minLength: 1, maxLength: MAX_KEY_BYTES, ...schema }
}

type MetadataCreate = NonNullable<MetadataEntity['create']>

function compileCreate(
  entity: MetadataEntity,
  create: MetadataCreate,
  context: MemberContext,
): EntityDescriptor['create'] {
  const named = create.params.find(({ name }) => name === entity.key.name)
  const keyParam = entity.key.generated === true ? undefined : named?.name
  const { access, report, types } = context
  if (keyParam === undefined && access.create.kind === 'restricted' && access.create.owners.length > 0) {
    report(
      '/create',
      'who creates one can’t be held to its key, which only the runtime knows.',
      `Say who may in the overrides file: {"${entity.name}": {"create": {"owner": false}}}.`,
    )
  }
  const params = compileParameters(create.params, '/create/params', context)
  return {
    description: create.description ?? '',
    // The argument that becomes the key obeys the key's schema.
    params: params.map((param) =>
      param.name === keyParam ? { ...param, schema: { ...param.schema, ...types.keySchemaOf(entity.name) } } : param,
    ),
    keyParam,
    examples: create.examples ?? [],
    runtime: create.runtime ?? {},
  }
}

function compileAttribute(name: string, type: JsonSchema, context: MemberContext): AttributeDescriptor {
  const { types, overrideOf, access } = context
  const own = overrideOf(name)
  const { schema, references } = compileType(type, `/state/${pointerSegment(name)}`, types)
  const description = typeof schema.description === 'string' ? schema.description : ''
  return {
    ...{ name, description, schema, references, readable: true, writable: own.writable ?? false },
    access: { read: refineRule(access.read, own), write: refineRule(access.all, own) },
  }
}

function hiddenMembers(names: readonly string[], overrideOf: MemberContext['overrideOf']): EntityDescriptor['hidden'] {
  return names.flatMap((name) => {
    if (overrideOf(name).expose === false) return [{ name, reason: 'hidden by the operator' }]
    return name.startsWith('_') ? [{ name, reason: 'its name begins with an underscore' }] : []
  })
}

function checkRepeats({ methods }: MetadataEntity, report: MemberContext['report']): void {
  const seen = new Set<string>()
  for (const [index, { name }] of methods.entries()) {
    if (seen.has(name)) report(`/methods/${index}/name`, `there are two methods "${name}".`)
    seen.add(name)
  }
}

interface Source {
  readonly loaded: LoadedDocument
  readonly entity: MetadataEntity
  readonly pointer: string
}

function duplicateProblems(
  sources: readonly Source[],
  entities: readonly EntityDescriptor[],
): readonly MetadataProblem[] {
  const names = new Map<string, string>()
  const paths = new Map<string, string>()
  return sources.flatMap(({ loaded: { file }, entity: { name }, pointer }) => {
    const problems: MetadataProblem[] = []
    const at = { file, pointer: `${pointer}/name` }
    const first = names.get(name)
    if (first !== undefined) problems.push({ ...at, message: `the entity "${name}" is already in ${first}.` })
    names.set(name, file)
    const path = entities.find((entity) => entity.name === name)?.path
    const other = path === undefined ? undefined : paths.get(path)
    if (other !== undefined && other !== name) {
      problems.push({
        ...at,
        message: `its path "/${path}" is also that of "${other}".`,
        hint: 'Give one of them another path in the overrides file.',
      })
    }
    if (path !== undefined) paths.set(path, name)
    return problems
  })
}

function ringsOfKeys(
  sources: readonly Source[],
  byName: ReadonlyMap<string, MetadataEntity>,
): readonly MetadataProblem[] {
  return sources.flatMap(({ loaded: { file }, entity, pointer }) => {
    const ring = keyRing(entity, byName)
    if (ring === undefined) return []
    const message = `the key refers to itself: ${ring.join(' → ')}.`
    return [
      { file, pointer: `${pointer}/key/schema/entity`, message, hint: 'One of these keys needs a type of its own.' },
    ]
  })
}

/** `OrderLine` → `order_line`, `HTTPServer` → `http_server`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
}
