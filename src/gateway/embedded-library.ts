/** What the package exports as `stateflow-gateway/embedded`: all that a module of entities needs, TypeBox's `Type` included. */

export { Type } from 'typebox'
export type {
  CallContext,
  EntityDefinition,
  EntityHandle,
  MethodSpec,
} from '../runtime-adapters/embedded/define-entity.ts'
export { defineEntity } from '../runtime-adapters/embedded/define-entity.ts'
export { EntityError } from '../runtime-adapters/embedded/entity-error.ts'
export { entityRef, Int64 } from '../runtime-adapters/embedded/schema-types.ts'
