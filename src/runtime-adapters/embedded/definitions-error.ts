/** The module with the entities can't be used. Its message is written for an operator. */
export class DefinitionsError extends Error {
  override readonly name = 'DefinitionsError'
}
