import type { AttributeDescriptor, EntityDescriptor, MethodDescriptor } from '../entity-registry/descriptor.ts'
import type { Target } from '../runtime-adapters/contract.ts'
import type { Operation } from './binding.ts'

/** The method or attribute that is asked for, or the entity where it is asked for as a whole. */
export function subjectOf(target: Target): MethodDescriptor | AttributeDescriptor | EntityDescriptor {
  return target.kind === 'call' ? target.method : 'attribute' in target ? target.attribute : target.entity
}

/** The name of the method or attribute; empty where it is the entity as a whole. */
export function memberOf(target: Target): string {
  return target.kind === 'call' ? target.method.name : 'attribute' in target ? target.attribute.name : ''
}

/** Milliseconds that a call may take where its caller says nothing: its method's own deadline, or the gateway's. */
export function policyMsOf(asked: Target | Operation, defaultDeadlineMs: number): number {
  return (asked.kind === 'call' ? asked.method.deadlineMs : undefined) ?? defaultDeadlineMs
}

export function changesNothing(target: Target): boolean {
  return (
    target.kind === 'find' ||
    target.kind === 'read-state' ||
    target.kind === 'read-attribute' ||
    (target.kind === 'call' && target.method.safe)
  )
}
