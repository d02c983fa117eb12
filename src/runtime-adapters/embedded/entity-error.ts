/** Told apart by this mark, not by class: the module with the entities may have loaded another copy of this file. */
const MARK = Symbol.for('stateflow-gateway.EntityError')

/**
 * What an entity throws when it refuses: the call is rolled back and answered as `raised` under this name, with the
 * status that the method's `errors` declare for it.
 */
export class EntityError extends Error {
  override readonly name: string
  /** Plain JSON data for the caller. */
  readonly data: unknown
  readonly [MARK] = true

  constructor(name: string, message: string, data?: unknown) {
    super(message)
    this.name = name
    this.data = data
  }
}

export function isEntityError(error: unknown): error is EntityError {
  return error instanceof Error && MARK in error
}
