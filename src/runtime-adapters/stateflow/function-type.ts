import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'

/** What StateFlow calls an entity’s class: `stateflow/dataflow/address.py`. */
export interface FunctionType {
  readonly namespace: string
  readonly name: string
  readonly stateful: boolean
}

/** The address of a ping: no function at all. */
export const NO_FUNCTION: FunctionType = { namespace: '', name: '', stateful: false }

/** The one namespace that StateFlow’s compiler gives to every class. */
const DEFAULT_NAMESPACE = 'global'

export function functionTypeOf({ name, runtime }: EntityDescriptor): FunctionType {
  const namespace = typeof runtime.namespace === 'string' ? runtime.namespace : DEFAULT_NAMESPACE
  return { namespace, name, stateful: true }
}

export function sameFunction(a: FunctionType, b: FunctionType): boolean {
  return a.namespace === b.namespace && a.name === b.name
}
