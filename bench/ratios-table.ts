import { renderTable } from './markdown-table.ts'
import { REFERENCE, WITH_STATEFLOW } from './open-loop-run.ts'
import { isMet, type Ratio, type Results, ratiosOf } from './ratios.ts'
import { spread } from './statistics.ts'

const HEADINGS = ['point', 'measured', 'bound', 'met']

/** Each point of what the gateway is to reach, from this run's own samples; of a part of a run, those that it has measured. */
export function renderRatios(results: Results, { isWhole }: { readonly isWhole: boolean }): readonly string[] {
  const ratios = ratiosOf(results).filter(({ measured }) => isWhole || measured.length > 0)
  if (ratios.length === 0) return []
  const rows = ratios.map((ratio) => renderRow(ratio, results.missing))
  return [
    '## Ratios',
    '',
    'What the gateway is to reach, from the samples above: the ratio within each turn, then the median of all turns (min..max). *gateway*',
    `is \`${REFERENCE}\`, all defaults on; *with StateFlow’s events* it is \`${WITH_STATEFLOW}\`: each of its records holds the dataflow graph`,
    'of its method, 4 KB. The raw round trip sends the same records, so it is compared with that one. The last rows are what the README says.',
    '',
    ...renderTable([HEADINGS, ...rows]),
    '',
  ]
}

function renderRow(ratio: Ratio, missing: ReadonlyMap<string, string>): readonly string[] {
  const { point, what, measured, bound, limit } = ratio
  const met = isMet(ratio)
  const peer = [...missing.keys()].find((name) => what.includes(`÷ ${name}`))
  return [
    `${point}. ${what}`,
    measured.length > 0 ? spread(measured, 2) : peer === undefined ? 'not measured' : `not run: ${missing.get(peer)}`,
    `${limit === 'at most' ? '≤' : '≥'} ${bound}`,
    met === undefined ? '' : met ? 'yes' : '**no**',
  ]
}
