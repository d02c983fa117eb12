import { createHash } from 'node:crypto'
import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import { writeDigits } from '../../entity-registry/exact-json.ts'

/** Equal for entities of which everything is equal, also what only their runtime understands. */
export function fingerprint(entities: readonly EntityDescriptor[]): string {
  const text = JSON.stringify(entities, (name, value: unknown) =>
    value instanceof Map ? [...value] : writeDigits(name, value),
  )
  return createHash('sha256').update(text).digest('base64url')
}
