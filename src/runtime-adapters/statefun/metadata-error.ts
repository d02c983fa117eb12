/** Metadata that would make requests StateFun can’t take: one bad record restarts a whole job for ever, so none is sent. */
export class StatefunMetadataError extends Error {
  override readonly name = 'StatefunMetadataError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(['StateFun can’t serve this metadata:', ...problems].join('\n  '))
    this.problems = problems
  }
}
