import type { EntityDescriptor, MethodDescriptor, ParameterDescriptor } from '../../entity-registry/descriptor.ts'
import type { Target } from '../contract.ts'
import { bindFlow, type FlowTemplate } from './flow.ts'
import { type FunctionType, functionTypeOf } from './function-type.ts'
import { flowProblems } from './pickle-flow.ts'
import { fits } from './python-type.ts'
import type { Call, EventCodec, PayloadShape, RequestName } from './request-shape.ts'
import type { Route, Routing } from './routing.ts'

/** How one kind of request is written and where it goes. */
export interface RequestPlan {
  readonly request: RequestName
  readonly route: Route
  readonly encode: (call: Call) => Buffer
}

/** Every request that an entity can be sent. */
export interface EntityPlan {
  readonly create: RequestPlan | undefined
  readonly find: RequestPlan
  readonly read: ReadonlyMap<string, RequestPlan>
  readonly write: ReadonlyMap<string, RequestPlan>
  readonly call: ReadonlyMap<string, RequestPlan>
}

export interface PlanContext {
  readonly codec: EventCodec
  readonly routing: Routing
  readonly typeOf: (entity: string) => FunctionType | undefined
  readonly report: (problem: string) => void
}

/** Does what can be done before the first call, and reports what would make a request that StateFlow can’t take. */
export function planEntity(entity: EntityDescriptor, context: PlanContext): EntityPlan {
  const attributes = [...entity.attributes.values()]
  const request = (name: RequestName, payload: PayloadShape) => planRequest(entity, { name, payload }, context)
  const create = entity.create
  if (create !== undefined) checkParams(`${entity.name}’s constructor`, create.params, context)
  for (const { name, writable, references } of attributes) {
    if (writable && references.length > 0) {
      context.report(
        `${entity.name}.${name}: references can’t be written; StateFlow would keep bare keys and fail on them.`,
      )
    }
  }
  return {
    create: create && request('InitClass', { kind: 'arguments', params: create.params, method: undefined }),
    find: request('FindClass', { kind: 'empty' }),
    read: new Map(attributes.map(({ name }) => [name, request('GetState', { kind: 'attribute', attribute: name })])),
    write: new Map(
      attributes.map(({ name, schema }) => [
        name,
        request('UpdateState', { kind: 'attribute-value', attribute: name, schema }),
      ]),
    ),
    call: planMethods(entity, context),
  }
}

/** The plan of what is asked; `undefined` when this entity can’t be asked it. */
export function planFor({ create, find, read, write, call }: EntityPlan, target: Target): RequestPlan | undefined {
  switch (target.kind) {
    case 'create':
      return create
    case 'find':
      return find
    case 'read-attribute':
      return read.get(target.attribute.name)
    case 'write-attribute':
      return write.get(target.attribute.name)
    case 'call':
      return call.get(target.method.name)
    case 'read-state':
      return undefined
  }
}

function planMethods(entity: EntityDescriptor, context: PlanContext): EntityPlan['call'] {
  const plans = new Map<string, RequestPlan>()
  for (const method of entity.methods.values()) {
    const where = `${entity.name}.${method.name}`
    const report = (problem: string) => context.report(`${where} ${problem}`)
    checkParams(where, method.params, context)
    if (method.name.startsWith('_')) report('begins with an underscore; StateFlow would take "__init__" for a reset.')
    const plan = planMethod(entity, method, { ...context, report })
    if (plan !== undefined) plans.set(method.name, plan)
  }
  return plans
}

function planMethod(entity: EntityDescriptor, method: MethodDescriptor, context: PlanContext): RequestPlan | undefined {
  const name = method.runtime.request
  if (name === 'InvokeStateful') {
    const payload: PayloadShape = { kind: 'arguments', params: method.params, method: method.name }
    return planRequest(entity, { name, payload }, context)
  }
  if (name !== 'EventFlow') {
    context.report(`has ${JSON.stringify(name)} for "runtime.request"; it is "InvokeStateful" or "EventFlow".`)
    return undefined
  }
  const flow = bindFlow(method, { ...context, type: functionTypeOf(entity) })
  if (flow === undefined) return undefined
  const problems = flowProblems(flow)
  for (const problem of problems) context.report(problem)
  return problems.length > 0 ? undefined : planRequest(entity, { name, payload: { kind: 'flow', flow } }, context)
}

function planRequest(
  entity: EntityDescriptor,
  { name, payload }: { readonly name: RequestName; readonly payload: PayloadShape },
  { codec, routing }: PlanContext,
): RequestPlan {
  const isCreate = name === 'InitClass'
  const flow: FlowTemplate | undefined = payload.kind === 'flow' ? payload.flow : undefined
  return {
    request: name,
    route: isCreate ? routing.create(entity) : routing.keyed(entity, flow),
    encode: codec.compile({
      request: name,
      type: functionTypeOf(entity),
      keyType: isCreate ? undefined : entity.key.type,
      payload,
    }),
  }
}

/** StateFlow’s methods take all their arguments; one that a caller leaves out is sent as None, so it must allow that. */
function checkParams(where: string, params: readonly ParameterDescriptor[], { report }: PlanContext): void {
  for (const { name, required, schema } of params) {
    if (required || fits(schema, null)) continue
    report(`${where}: the parameter "${name}" may be left out, but not be null; StateFlow has no optional arguments.`)
  }
}
