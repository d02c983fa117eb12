/** One series of a metrics page. */
export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Page {
  /** What the page has no right to be, in words; empty: a good page. */
  readonly problems: readonly string[]
  /** Kinds by name, of metrics without series too. */
  readonly kinds: ReadonlyMap<string, string>
  readonly series: readonly Series[]
}

const SUFFIX = /_(bucket|sum|count)$/
/** Base units, as Prometheus's naming rules have them; other words for time and size are mistakes. */
const WRONG_UNITS = /(^|_)(ms|milliseconds|microseconds|minutes|hours|kb|kilobytes|mb|megabytes|bits|percent)(_|$)/
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y

/** Reads Prometheus's text format as strictly as `promtool check metrics` does, and checks names by the same rules. */
export function lintPage(text: string): Page {
  const problems: string[] = []
  const kinds = new Map<string, string>()
  const helped = new Set<string>()
  const seen = new Set<string>()
  const series: Series[] = []
  let current = ''
  if (!text.endsWith('\n')) problems.push('the last line is not ended')
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (comment !== null) {
      const [, what, name = '', rest = ''] = comment
      if (what === 'HELP') {
        if (helped.has(name)) problems.push(`${name}: two sections`)
        helped.add(name)
        current = name
      } else kinds.set(name, rest)
      continue
    }
    const read = readLine(line)
    if (read === undefined) {
      problems.push(`can't be read: ${line}`)
      continue
    }
    const key = `${read.name} ${JSON.stringify(Object.entries(read.labels).sort())}`
    if (seen.has(key)) problems.push(`${key}: a duplicate`)
    seen.add(key)
    const family = kinds.get(current) === 'histogram' ? read.name.replace(SUFFIX, '') : read.name
    if (family !== current) problems.push(`${read.name} stands in the section of ${current}`)
    series.push(read)
  }
  for (const [name, kind] of kinds) problems.push(...nameProblems(name, kind, helped))
  problems.push(...histogramProblems(series, kinds))
  return { problems, kinds, series }
}

function readLine(line: string): Series | undefined {
  const [whole, name = '', labelText = '', number = ''] = LINE.exec(line) ?? []
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number)
  if (whole === undefined || (Number.isNaN(value) && number !== 'NaN')) return undefined
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  let end = 0
  for (let found = LABEL.exec(labelText); found !== null; found = LABEL.exec(labelText)) {
    const [, label = '', text = ''] = found
    labels[label] = text
    end = LABEL.lastIndex
  }
  return end === labelText.length ? { name, labels, value } : undefined
}

function nameProblems(name: string, kind: string, helped: ReadonlySet<string>): readonly string[] {
  return [
    ...(helped.has(name) ? [] : [`${name}: no help`]),
    ...(kind === 'counter' && !name.endsWith('_total') ? [`${name}: a counter ends in _total`] : []),
    ...(kind !== 'counter' && name.endsWith('_total') ? [`${name}: only a counter ends in _total`] : []),
    ...(WRONG_UNITS.test(name) ? [`${name}: not a base unit`] : []),
    ...(SUFFIX.test(name) ? [`${name}: a suffix of histograms`] : []),
    ...(/[A-Z]/.test(name) ? [`${name}: not in snake_case`] : []),
    ...(new RegExp(`_(${kind}|${kind}s)(_|$)`).test(name) ? [`${name}: its kind is in its name`] : []),
  ]
}

function histogramProblems(series: readonly Series[], kinds: ReadonlyMap<string, string>): readonly string[] {
  return [...kinds].flatMap(([name, kind]) => {
    if (kind !== 'histogram') return []
    const own = series.filter((one) => one.name.startsWith(`${name}_`))
    const groups = Map.groupBy(own, ({ labels: { le, ...rest } }) => JSON.stringify(rest))
    return [...groups].flatMap(([labels, group]) => {
      const buckets = group.filter((one) => one.name.endsWith('_bucket'))
      const counts = buckets.map(({ value }) => value)
      const count = group.find((one) => one.name.endsWith('_count'))?.value
      const isAscending = counts.every((value, index) => index === 0 || value >= (counts[index - 1] ?? 0))
      return [
        ...(isAscending ? [] : [`${name}${labels}: its buckets are not cumulative`]),
        ...(buckets.at(-1)?.labels.le === '+Inf' ? [] : [`${name}${labels}: no bucket +Inf`]),
        ...(counts.at(-1) === count ? [] : [`${name}${labels}: +Inf is not its count`]),
        ...(group.some((one) => one.name.endsWith('_sum')) ? [] : [`${name}${labels}: no sum`]),
      ]
    })
  })
}
