import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type MetricDefinition, metrics } from '../../../src/gateway/observability/metric-definition.ts'
import { startGateway } from '../../helpers/running-gateway.ts'
import { lintPage } from './lint-page.ts'

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

// The file is ours; what this test reads of it is checked by it.
const dashboard = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../docker/grafana/stateflow-gateway.json'), 'utf8'),
) as { readonly panels: readonly Panel[]; readonly templating: object }

const expressions = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
)
const NAME = /\b(?:gateway|http_server|messaging|nodejs|process)_[a-z0-9_]+/g
const definitions = new Map<string, MetricDefinition>(Object.values(metrics).map((one) => [one.name, one]))

function definitionOf(name: string): MetricDefinition | undefined {
  return definitions.get(name) ?? definitions.get(name.replace(/_(bucket|sum|count)$/, ''))
}

describe('the Grafana dashboard', () => {
  it('asks only for metrics that the page has', async () => {
    const gateway = await startGateway({})
    const { kinds } = lintPage(await (await fetch(`${gateway.url}/-/metrics`)).text())
    await gateway.close()
    expect([...kinds.keys()].sort()).toEqual([...definitions.keys()].sort())
    const asked = new Set([...JSON.stringify(dashboard).matchAll(NAME)].map(([name]) => name))
    const suffixed = (name: string) => kinds.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram'
    expect(asked.size).toBeGreaterThan(20)
    expect([...asked].filter((name) => !kinds.has(name) && !suffixed(name) && !labelNames.has(name))).toEqual([])
  })

  it('shows every metric but those that say who runs', () => {
    const text = expressions.map(([, expr]) => expr).join('\n')
    const left = [...definitions.keys()].filter((name) => !text.includes(name))
    expect(left.sort()).toEqual([
      'gateway_info',
      'nodejs_eventloop_lag_mean_seconds',
      'nodejs_heap_size_total_bytes',
      'process_start_time_seconds',
    ])
  })

  it.each(expressions)('%s: %s', (_title, expr) => {
    const [name = ''] = (expr.match(NAME) ?? []).filter((one) => definitionOf(one) !== undefined)
    const definition = definitionOf(name)
    const selected = [...expr.matchAll(/([a-z_]+)(?:=~|!~|=|!=)"/g)].map(([, label]) => label)
    const grouped = [...expr.matchAll(/by \(([^)]+)\)/g)].flatMap(([, list = '']) => list.split(', '))
    const known = [...(definition?.labels ?? []), 'instance', ...(name.endsWith('_bucket') ? ['le'] : [])]
    expect([...selected, ...grouped].filter((label) => !known.includes(label ?? ''))).toEqual([])
    // A counter's value says nothing; a gauge's rate neither.
    expect(/rate\(/.test(expr)).toBe(definition?.kind !== 'gauge')
  })

  it('lays no panel over another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, n) => `${x + (n % w)}/${y + Math.floor(n / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  })
})

const labelNames = new Set(Object.values(metrics).flatMap(({ labels }): readonly string[] => labels))
