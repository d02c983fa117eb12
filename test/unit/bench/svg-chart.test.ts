import { describe, expect, it } from 'vitest'
import { decades, linearTicks, renderChart, shortNumber } from '../../../bench/svg-chart.ts'

describe('ticks', () => {
  it.each([
    [[12], [0, 5, 10, 15]],
    [[0.43], [0, 0.1, 0.2, 0.3, 0.4, 0.5]],
    [[950], [0, 200, 400, 600, 800, 1_000]],
  ])('of %j are round numbers from 0 to beyond the largest', (values, ticks) => {
    expect(linearTicks(values)).toEqual(ticks)
  })

  it('of a logarithmic axis are decades around the values', () => {
    expect(decades([30, 4_000])).toEqual([10, 100, 1_000, 10_000])
    expect(decades([100])).toEqual([100, 1_000])
  })

  it.each([
    [64, '64'],
    [1_024, '1024'],
    [100_000, '100k'],
    [1_000_000, '1M'],
    [0.3, '0.3'],
  ])('%d is written as %s', (value, text) => {
    expect(shortNumber(value)).toBe(text)
  })
})

describe('a chart', () => {
  const chart = renderChart({
    title: 'Cost & size',
    x: { label: 'bytes', scale: 'log' },
    y: { label: 'ms', scale: 'linear' },
    lines: [
      {
        name: 'a',
        points: [
          { x: 1, y: 0 },
          { x: 100, y: 10 },
        ],
      },
      { name: 'b<c', points: [{ x: 10, y: 5 }] },
    ],
  })

  it('puts the ends of the axes into its corners, and a decade half way', () => {
    expect(chart).toContain('points="64,308 490,40"')
    expect(chart).toContain('points="277,174"')
  })

  it('names axes and lines, and escapes what is not XML', () => {
    for (const text of ['>bytes<', '>ms<', '>a<', '>b&lt;c<', 'Cost &amp; size']) expect(chart).toContain(text)
  })
})
