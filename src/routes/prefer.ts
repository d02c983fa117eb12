/** What a caller prefers (RFC 7240), as far as this gateway can honour it. */
export interface Preferences {
  /** Answer 202 rather than make him wait. */
  readonly respondAsync: boolean
  /** Seconds he is willing to wait. */
  readonly waitSeconds: number | undefined
  /** No body in the answer. */
  readonly minimal: boolean
  /** What can't be honoured is to be an error. */
  readonly strict: boolean
  /** Preferences that are not known here, or that have a value they can't have; as they were written. */
  readonly unknown: readonly string[]
}

export const noPreferences: Preferences = {
  respondAsync: false,
  waitSeconds: undefined,
  minimal: false,
  strict: false,
  unknown: [],
}

/**
 * @param header every `Prefer` line, joined by commas as Node does
 */
export function parsePrefer(header: string | undefined): Preferences {
  if (header === undefined) return noPreferences
  // Section 2: of a preference that is given more than once, the first counts.
  const given = new Map<string, { readonly value: string; readonly text: string }>()
  for (const element of splitOutsideQuotes(header, ',')) {
    // Parameters behind a semicolon belong to the preference; none of ours has any.
    const [token = ''] = splitOutsideQuotes(element, ';')
    const { name, value } = nameAndValue(token)
    if (name !== '' && !given.has(name)) given.set(name, { value, text: token.trim() })
  }
  const wait = given.get('wait')?.value ?? ''
  return {
    respondAsync: given.get('respond-async')?.value === '',
    waitSeconds: isSeconds(wait) ? Number(wait) : undefined,
    minimal: given.get('return')?.value === 'minimal',
    strict: given.get('handling')?.value === 'strict',
    unknown: [...given].filter(([name, { value }]) => !isKnown(name, value)).map(([, { text }]) => text),
  }
}

function isKnown(name: string, value: string): boolean {
  if (name === 'wait') return isSeconds(value)
  return known.get(name)?.includes(value) === true
}

/** Besides `wait`. An empty value and none are the same. */
const known: ReadonlyMap<string, readonly string[]> = new Map([
  ['respond-async', ['']],
  ['return', ['minimal', 'representation']],
  ['handling', ['strict', 'lenient']],
])

function isSeconds(value: string): boolean {
  return /^\d{1,9}$/.test(value)
}

/** Names are case-insensitive; an empty value and none are the same (section 2). */
function nameAndValue(token: string): { readonly name: string; readonly value: string } {
  const at = token.indexOf('=')
  if (at < 0) return { name: token.trim().toLowerCase(), value: '' }
  const value = token.slice(at + 1).trim()
  const quoted = /^"(.*)"$/s.exec(value)
  return { name: token.slice(0, at).trim().toLowerCase(), value: quoted?.[1]?.replaceAll(/\\(.)/g, '$1') ?? value }
}

/** Splits at a separator that is not inside a quoted string (RFC 9110, section 5.6.4). */
function splitOutsideQuotes(text: string, separator: ',' | ';'): readonly string[] {
  const parts: string[] = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') quoted = !quoted
    else if (character === '\\' && quoted) at++
    else if (character === separator && !quoted) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}
