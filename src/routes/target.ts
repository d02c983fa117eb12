import type { AttributeDescriptor, EntityDescriptor, MethodDescriptor } from '../entity-registry/descriptor.ts'
import type { Target } from '../runtime-adapters/contract.ts'

/** The method or attribute that is asked for, or the entity where it is asked for as a whole. */
export function subjectOf(target: Target): MethodDescriptor | AttributeDescriptor | EntityDescriptor {
  return target.kind === 'call' ? target.method : 'attribute' in target ? target.attribute : target.entity
}

/** The name of the method or attribute; empty where it is the entity as a whole. */
export function memberOf(target: Target): string {
  return target.kind === 'call' ? target.method.name : 'attribute' in target ? target.attribute.name : ''
}

export function changesNothing(target: Target): boolean {
  return (
    target.kind === 'find' ||
    target.kind === 'read-state' ||
    target.kind === 'read-attribute' ||
    (target.kind === 'call' && target.method.safe)
  )
}
