/** One thing that is wrong with a metadata document or an overrides file. */
export interface MetadataProblem {
  /** The file as the operator named it. */
  readonly file: string
  /** JSON Pointer to the place (RFC 6901); empty for the whole document. */
  readonly pointer: string
  readonly message: string
  readonly hint?: string | undefined
}

/** The metadata can't be served. Carries every problem that was found, not only the first. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
  readonly problems: readonly MetadataProblem[]

  constructor(problems: readonly MetadataProblem[]) {
    super(problems.map(describeProblem).join('\n'))
    this.problems = problems
  }
}

export function describeProblem({ file, pointer, message, hint }: MetadataProblem): string {
  return `${file}${pointer === '' ? '' : `#${pointer}`}: ${message}${hint === undefined ? '' : ` ${hint}`}`
}

/** Escapes one member's name for a JSON Pointer. */
export function pointerSegment(name: string | number): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1')
}
