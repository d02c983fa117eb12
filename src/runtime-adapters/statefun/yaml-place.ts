import { type Document, isNode, LineCounter, parseAllDocuments } from 'yaml'

/** A YAML file that can't be used. Carries every problem, each with its line. */
export class YamlFileError extends Error {
  override readonly name = 'YamlFileError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** A value in a YAML file that knows where it stands. */
export interface Place {
  readonly value: unknown
  at(...names: readonly (string | number)[]): Place
  /** The items of a list; reports what is none. Nothing at all is an empty list. */
  items(): readonly Place[]
  /** `undefined` where there is nothing; reports what is no text. */
  text(): string | undefined
  /** The same, and reports what is missing. */
  needed(): string
  report(message: string): void
}

export interface YamlFile {
  readonly documents: readonly Place[]
  readonly problems: readonly string[]
}

/** A file of one document or many; problems of its places gather in `problems`. */
export function openYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter()
  const problems: string[] = []
  const parsed = [...parseAllDocuments(text, { lineCounter: lines })]
  const lineAt = (offset: number) => `${file}:${lines.linePos(offset).line}`
  for (const { errors } of parsed) {
    for (const { pos, message } of errors) problems.push(`${lineAt(pos[0])}: not YAML: ${message.split('\n')[0]}`)
  }
  if (problems.length > 0) throw new YamlFileError(problems)
  const documents = parsed.filter(({ contents }) => contents !== null)
  const report = (document: Document, path: Path, message: string) =>
    problems.push(`${lineAt(offsetOf(document, path))}: ${path.length === 0 ? '' : `${path.join('.')} `}${message}`)
  return { documents: documents.map((document) => place(document, [], report)), problems }
}

type Path = readonly (string | number)[]
type Report = (document: Document, path: Path, message: string) => void

function place(document: Document, path: Path, report: Report): Place {
  const node = path.length === 0 ? document.contents : document.getIn(path, true)
  const value: unknown = isNode(node) ? node.toJS(document) : node
  const self: Place = {
    value,
    at: (...names) => place(document, [...path, ...names], report),
    items() {
      if (value === undefined || value === null) return []
      if (Array.isArray(value)) return value.map((_, index) => self.at(index))
      self.report('must be a list.')
      return []
    },
    text() {
      if (value === undefined || value === null) return undefined
      if (typeof value === 'string') return value
      if (typeof value === 'number') return String(value)
      self.report('must be text.')
      return undefined
    },
    needed() {
      if (value === undefined || value === null) self.report('is missing.')
      return self.text() ?? ''
    },
    report: (message) => report(document, path, message),
  }
  return self
}

/** Of the place, or of the nearest around it that is there. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}
