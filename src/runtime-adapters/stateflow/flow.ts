import type { MethodDescriptor } from '../../entity-registry/descriptor.ts'
import { pointerSegment } from '../../entity-registry/metadata-error.ts'
import { isRecord, type PlainRecord } from '../../entity-registry/plain-record.ts'
import type { FunctionType } from './function-type.ts'
import type { Hole } from './request-shape.ts'

/**
 * A split method: StateFlow sends its whole dataflow graph with every call. The metadata document holds that graph
 * without any argument in it, and says where each argument and the entity’s key go.
 */
export interface FlowTemplate {
  readonly graph: Extract<Tree, { kind: 'dict' }>
  /** The node that the runtime looks at first. */
  readonly current: string
  /** Where the runtime sends the request first: the entity itself, or one that the method refers to. */
  readonly start: { readonly type: FunctionType; readonly key: Hole }
}

/** JSON data with holes. */
export type Tree =
  | { readonly kind: 'hole'; readonly hole: Hole }
  | { readonly kind: 'scalar'; readonly value: string | number | bigint | boolean | null }
  | { readonly kind: 'list'; readonly items: readonly Tree[] }
  | { readonly kind: 'dict'; readonly members: ReadonlyMap<string, Tree> }

export interface FlowContext {
  readonly type: FunctionType
  readonly typeOf: (entity: string) => FunctionType | undefined
  readonly report: (problem: string) => void
}

/** @returns `undefined` after a problem was reported */
export function bindFlow(method: MethodDescriptor, context: FlowContext): FlowTemplate | undefined {
  const { flow } = method.runtime
  if (!isRecord(flow) || !isRecord(flow.graph) || !isRecord(flow.bind)) {
    context.report('is an EventFlow, but its metadata has no "flow" with "graph" and "bind".')
    return undefined
  }
  const holes = collectHoles(method, flow.bind, context)
  checkUnbound(method, flow, { holes, context })
  const graph = plant(flow.graph, { pointer: '', holes })
  for (const pointer of holes.keys()) context.report(`binds "${pointer}", which is not in its flow graph.`)
  const start = startOf(graph, context)
  if (graph.kind !== 'dict' || start === undefined) return undefined
  return { graph, current: String(flow.graph.current), start }
}

type Holes = Map<string, Hole>

function collectHoles(method: MethodDescriptor, bind: PlainRecord, context: FlowContext): Holes {
  const holes: Holes = new Map()
  for (const pointer of Array.isArray(bind.key) ? bind.key : []) holes.set(String(pointer), { kind: 'key' })
  if (holes.size === 0) context.report('has a flow that binds the key of its entity nowhere.')
  for (const [name, places] of Object.entries(isRecord(bind.params) ? bind.params : {})) {
    for (const place of listOfRecords(places)) {
      const hole = argumentHole(method, { name, place }, context)
      if (hole !== undefined) holes.set(String(place.pointer), hole)
    }
  }
  return holes
}

function listOfRecords(value: unknown): readonly PlainRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function argumentHole(
  method: MethodDescriptor,
  { name, place }: { readonly name: string; readonly place: PlainRecord },
  { report, typeOf, type: ownType }: FlowContext,
): Hole | undefined {
  const param = method.params.find((candidate) => candidate.name === name)
  if (param === undefined) {
    report(`binds "${name}", which is not one of its parameters.`)
    return undefined
  }
  if (place.as === 'value') return { kind: 'argument', name, schema: param.schema }
  if (place.as === 'key') return { kind: 'argument-key', name }
  if (place.as !== 'ref' && place.as !== 'refs') {
    report(`binds "${name}" as ${JSON.stringify(place.as)}; known are value, key, ref and refs.`)
    return undefined
  }
  const known = param.references.map((reference) => reference.entity)
  const entity = typeof place.entity === 'string' ? place.entity : known[0]
  if (entity === undefined || !known.includes(entity)) {
    report(`binds "${name}" as a reference to "${String(entity)}", which its type does not name.`)
    return undefined
  }
  // An entity that the operator hides has no descriptor here, but it is there all the same.
  const type = typeOf(entity) ?? { ...ownType, name: entity }
  return { kind: place.as === 'ref' ? 'argument-ref' : 'argument-refs', name, type }
}

/** An argument that goes nowhere would be lost in silence, so the document has to say that this is meant. */
function checkUnbound(
  method: MethodDescriptor,
  flow: PlainRecord,
  { holes, context }: { readonly holes: Holes; readonly context: FlowContext },
): void {
  const unbound = Array.isArray(flow.unbound) ? flow.unbound : []
  const bound = new Set([...holes.values()].map((hole) => ('name' in hole ? hole.name : undefined)))
  for (const { name } of method.params) {
    if (!bound.has(name) && !unbound.includes(name)) {
      context.report(`neither binds its parameter "${name}" nor lists it as unbound.`)
    }
  }
}

interface Plot {
  readonly pointer: string
  /** What is still to be planted. */
  readonly holes: Holes
}

function plant(value: unknown, { pointer, holes }: Plot): Tree {
  const hole = holes.get(pointer)
  if (hole !== undefined) {
    holes.delete(pointer)
    return { kind: 'hole', hole }
  }
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item, index) => plant(item, { pointer: `${pointer}/${index}`, holes })) }
  }
  if (isRecord(value)) {
    const members = Object.entries(value).map(([name, member]) => {
      const at = `${pointer}/${pointerSegment(name)}`
      return [name, plant(member, { pointer: at, holes })] as const
    })
    return { kind: 'dict', members: new Map(members) }
  }
  const isScalar = ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
  // What JSON.parse gives that is no array and no object is a scalar.
  return { kind: 'scalar', value: isScalar ? (value as string | number | bigint | boolean) : null }
}

/** A node whose key nothing binds would reach the runtime without a key, and end its job. */
function startOf(graph: Tree, { report }: FlowContext): FlowTemplate['start'] | undefined {
  const node = memberAt(graph, [scalarText(memberAt(graph, ['current']))])
  const address = memberAt(node, ['fun_addr'])
  const type = functionTypeIn(address)
  if (type === undefined) {
    report('has a flow graph whose "current" names no node with a function address.')
    return undefined
  }
  const isRequestState = scalarText(memberAt(node, ['type'])) === 'REQUEST_STATE'
  const key = isRequestState ? memberAt(node, ['input', '__key']) : memberAt(address, ['key'])
  if (key?.kind !== 'hole') {
    report('has a flow that starts at a node whose key nothing binds.')
    return undefined
  }
  return { type, key: key.hole }
}

/** The function type that a `fun_addr` of the graph names. */
export function functionTypeIn(address: Tree | undefined): FunctionType | undefined {
  const type = memberAt(address, ['function_type'])
  const namespace = scalarText(memberAt(type, ['namespace']))
  const name = scalarText(memberAt(type, ['name']))
  const stateful = memberAt(type, ['stateful'])
  if (type === undefined || stateful?.kind !== 'scalar') return undefined
  return { namespace, name, stateful: stateful.value === true }
}

export function memberAt(tree: Tree | undefined, path: readonly string[]): Tree | undefined {
  let at = tree
  for (const name of path) at = at?.kind === 'dict' ? at.members.get(name) : undefined
  return at
}

/** The text of a scalar, empty for anything else. */
export function scalarText(tree: Tree | undefined): string {
  return tree?.kind === 'scalar' ? String(tree.value) : ''
}
