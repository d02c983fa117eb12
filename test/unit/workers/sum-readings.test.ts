import { describe, expect, it } from 'vitest'
import { type MetricDefinition, metrics } from '../../../src/gateway/observability/metric-definition.ts'
import { createMetricPage, type MetricPage } from '../../../src/gateway/observability/metric-page.ts'
import { metricText } from '../../../src/gateway/observability/metric-reading.ts'
import { lastingReadings, sumReadings } from '../../../src/gateway/workers/sum-readings.ts'
import { lintPage } from '../observability/lint-page.ts'

const counter: MetricDefinition = { name: 'tests_total', kind: 'counter', help: 'Tests.', labels: ['what'] }
const gauge: MetricDefinition = { name: 'tests_waiting', kind: 'gauge', help: 'Tests.', labels: [] }
const up: MetricDefinition = { ...gauge, name: 'test_up', together: 'least' }
const memory: MetricDefinition = { ...gauge, name: 'test_memory_bytes', together: 'each' }
const time: MetricDefinition = {
  name: 'test_seconds',
  kind: 'histogram',
  help: 'Time.',
  labels: ['what'],
  buckets: [1, 2],
}

function pageOf(fill: (page: MetricPage) => void) {
  const page = createMetricPage()
  fill(page)
  return page.read()
}

/** By name, labels and value, after its text was found to be well-formed. */
function shown(readings: Parameters<typeof metricText>[0]) {
  const { series, problems } = lintPage(metricText(readings))
  expect(problems).toEqual([])
  return series.map(({ name, labels, value }) => [name, labels, value])
}

describe('the page of several workers', () => {
  it('adds up counters and gauges by their labels, those that only one has included', () => {
    const one = pageOf((page) => {
      const tests = page.numbers(counter)
      tests.cell('a').value = 2
      tests.cell('b').value = 1
      page.numbers(gauge).cell().value = 3
    })
    const other = pageOf((page) => {
      const tests = page.numbers(counter)
      tests.cell('c').value = 5
      tests.cell('a').value = 4
      page.numbers(gauge).cell().value = 1
    })
    const sum = sumReadings([
      { worker: '1', readings: one },
      { worker: '2', readings: other },
    ])
    expect(shown(sum)).toEqual([
      ['tests_total', { what: 'a' }, 6],
      ['tests_total', { what: 'b' }, 1],
      ['tests_total', { what: 'c' }, 5],
      ['tests_waiting', {}, 4],
    ])
  })

  it('adds up histograms bucket by bucket', () => {
    const pages = [0.5, 1.5].map((value, at) => ({
      worker: String(at),
      readings: pageOf((page) => page.histogram(time).cell('a').observe(value)),
    }))
    expect(
      shown(sumReadings(pages)).map(([name, labels, value]) => [name, (labels as { le?: string }).le, value]),
    ).toEqual([
      ['test_seconds_bucket', '1', 1],
      ['test_seconds_bucket', '2', 2],
      ['test_seconds_bucket', '+Inf', 2],
      ['test_seconds_sum', undefined, 2],
      ['test_seconds_count', undefined, 2],
    ])
  })

  it('says of each process what is its own, and the worst where all must be well', () => {
    const pages = [1, 0].map((value, at) => ({
      worker: String(at + 1),
      readings: pageOf((page) => {
        page.numbers(up).cell().value = value
        page.numbers(memory).cell().value = 100 + at
      }),
    }))
    expect(shown(sumReadings(pages))).toEqual([
      ['test_up', {}, 0],
      ['test_memory_bytes', { worker: '1' }, 100],
      ['test_memory_bytes', { worker: '2' }, 101],
    ])
  })

  it('shows of entities that were exchanged what all workers have reached', () => {
    const pages = [2, 3].map((value) => ({
      worker: String(value),
      readings: pageOf((page) => {
        page.numbers(metrics.generation).cell().value = value
        page.numbers(metrics.lastSwap).cell().value = 1_000 * value
      }),
    }))
    expect(shown(sumReadings(pages))).toEqual([
      ['gateway_generation', {}, 2],
      ['gateway_last_swap_timestamp_seconds', {}, 2_000],
    ])
  })

  it('keeps of a process that has ended what must not fall, and nothing else', () => {
    const ended = pageOf((page) => {
      page.numbers(counter).cell('a').value = 7
      page.histogram(time).cell('a').observe(1)
      page.numbers(gauge).cell().value = 3
      page.numbers({ ...memory, kind: 'counter', name: 'test_cpu_total' }).cell().value = 3
    })
    expect(lastingReadings(ended).map(({ definition }) => definition.name)).toEqual(['tests_total', 'test_seconds'])
  })

  it('can be added up again', () => {
    const readings = pageOf((page) => {
      page.numbers(counter).cell('a').value = 1
    })
    const once = sumReadings([{ worker: 'ended', readings }])
    expect(
      shown(
        sumReadings([
          { worker: 'ended', readings: once },
          { worker: '1', readings },
        ]),
      ),
    ).toEqual([['tests_total', { what: 'a' }, 2]])
  })
})
