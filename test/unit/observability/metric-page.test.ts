import { describe, expect, it } from 'vitest'
import type { MetricDefinition } from '../../../src/gateway/observability/metric-definition.ts'
import { metrics } from '../../../src/gateway/observability/metric-definition.ts'
import { createMetricPage } from '../../../src/gateway/observability/metric-page.ts'
import { lintPage } from './lint-page.ts'

const counter: MetricDefinition = { name: 'tests_total', kind: 'counter', help: 'Tests.', labels: ['what', 'how'] }
const histogram: MetricDefinition = {
  ...{ name: 'test_duration_seconds', kind: 'histogram', help: 'Time.', labels: ['what'] },
  buckets: [0.1, 1],
}

describe('the metrics page', () => {
  it('counts by the values of labels, in their order', () => {
    const page = createMetricPage()
    const tests = page.numbers(counter)
    tests.cell('a', 'b').value++
    tests.cell('a', 'b').value++
    tests.cell('b', 'a').value++
    const { series, problems } = lintPage(page.text())
    expect(problems).toEqual([])
    expect(series).toEqual([
      { name: 'tests_total', labels: { what: 'a', how: 'b' }, value: 2 },
      { name: 'tests_total', labels: { what: 'b', how: 'a' }, value: 1 },
    ])
  })

  it('escapes what would end a label or a line', () => {
    const page = createMetricPage()
    page.numbers({ ...counter, help: 'a\\b\nc' }).cell('say "no"\n', 'back\\slash').value = 1
    expect(page.text()).toContain('# HELP tests_total a\\\\b\\nc\n')
    expect(page.text()).toContain('tests_total{what="say \\"no\\"\\n",how="back\\\\slash"} 1\n')
    expect(lintPage(page.text()).problems).toEqual([])
  })

  it('puts a value on a bound into that bound’s bucket, and sums up', () => {
    const page = createMetricPage()
    const cell = page.histogram(histogram).cell('x')
    for (const value of [0.1, 0.100_1, 1, 5]) cell.observe(value)
    const { series, problems } = lintPage(page.text())
    expect(problems).toEqual([])
    expect(series.map(({ labels, value }) => [labels.le, value])).toEqual([
      ['0.1', 1],
      ['1', 3],
      ['+Inf', 4],
      [undefined, 6.2001],
      [undefined, 4],
    ])
  })

  it('stays bounded, whatever becomes a label', () => {
    const page = createMetricPage()
    const tests = page.numbers(counter)
    for (let n = 0; n < 20_100; n++) tests.cell(String(n), 'x').value++
    const { series, problems } = lintPage(page.text())
    expect(problems).toEqual([])
    expect(series).toHaveLength(20_001)
    expect(series.at(-1)).toMatchObject({ labels: { what: '_other', how: '_other' }, value: 100 })
  })

  it('asks for numbers that others keep at each scrape', () => {
    const page = createMetricPage()
    let value = 1
    page.ask(counter, () => [[value, 'a', 'b']])
    value = 7
    expect(lintPage(page.text()).series).toEqual([{ name: 'tests_total', labels: { what: 'a', how: 'b' }, value: 7 }])
  })
})

describe('the lint of these tests', () => {
  it.each([
    ['no help', '# TYPE a_total counter\na_total 1\n'],
    ['a counter ends in _total', '# HELP a x\n# TYPE a counter\na 1\n'],
    ['not a base unit', '# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n'],
    ['a duplicate', '# HELP a x\n# TYPE a gauge\na{b="1"} 1\na{b="1"} 2\n'],
    ['two sections', '# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n# TYPE a gauge\n'],
    ["can't be read", '# HELP a x\n# TYPE a gauge\na{b="1} 1\n'],
    ['no bucket +Inf', '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n'],
  ])('finds: %s', (problem, text) => {
    expect(lintPage(text).problems.join('\n')).toContain(problem)
  })
})

describe('the list of metrics', () => {
  it('names each once, with labels that nobody sends', () => {
    const all: readonly MetricDefinition[] = Object.values(metrics)
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
    const labels = new Set(all.flatMap((one) => one.labels))
    for (const label of ['key', 'principal', 'invocation', 'path', 'trace']) expect(labels).not.toContain(label)
  })
})
