/** A line chart as plain SVG, light, and readable on a white and on a dark page. */
export interface Chart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
}

export interface Axis {
  readonly label: string
  readonly scale: 'linear' | 'log'
}

export interface Line {
  readonly name: string
  readonly points: readonly Point[]
}

export interface Point {
  readonly x: number
  readonly y: number
}

const WIDTH = 640
const HEIGHT = 360
const LEFT = 64
const RIGHT = 150
const TOP = 40
const BOTTOM = 52
/** Told apart by people who don't see red and green apart, too. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9']
const GREY = '#8c959f'

type Scale = (value: number) => number

export function renderChart({ title, x, y, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points)
  const xTicks =
    x.scale === 'log' ? valuesOf(points.map((point) => point.x)) : linearTicks(points.map((point) => point.x))
  const yTicks =
    y.scale === 'log' ? decades(points.map((point) => point.y)) : linearTicks(points.map((point) => point.y))
  const toX = scaleTo({ scale: x.scale, ticks: xTicks, from: LEFT, to: WIDTH - RIGHT })
  const toY = scaleTo({ scale: y.scale, ticks: yTicks, from: HEIGHT - BOTTOM, to: TOP })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="sans-serif" font-size="12" fill="${GREY}">`,
    `<title>${escapeXml(title)}</title>`,
    text({ at: { x: LEFT, y: 20 }, content: title, attributes: 'font-size="14" font-weight="bold"' }),
    ...yTicks.flatMap((tick) => horizontal(toY(tick), shortNumber(tick))),
    ...thinned(xTicks, toX).map((tick) =>
      text({
        at: { x: toX(tick), y: HEIGHT - BOTTOM + 18 },
        content: shortNumber(tick),
        attributes: 'text-anchor="middle"',
      }),
    ),
    text({
      at: { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 12 },
      content: x.label,
      attributes: 'text-anchor="middle"',
    }),
    text({
      at: { x: 0, y: 0 },
      content: y.label,
      attributes: `text-anchor="middle" transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"`,
    }),
    ...lines.flatMap((line, index) =>
      drawLine(line, { color: COLORS[index % COLORS.length] ?? GREY, index, toX, toY }),
    ),
    '</svg>',
    '',
  ].join('\n')
}

interface Drawing {
  readonly color: string
  readonly index: number
  readonly toX: Scale
  readonly toY: Scale
}

function drawLine({ name, points }: Line, { color, index, toX, toY }: Drawing): readonly string[] {
  const places = points.map((point) => ({ x: round(toX(point.x)), y: round(toY(point.y)) }))
  const legend = { x: WIDTH - RIGHT + 14, y: TOP + 10 + index * 20 }
  return [
    `<polyline fill="none" stroke="${color}" stroke-width="2" points="${places.map((place) => `${place.x},${place.y}`).join(' ')}"/>`,
    ...places.map((place) => `<circle cx="${place.x}" cy="${place.y}" r="3" fill="${color}"/>`),
    `<circle cx="${legend.x}" cy="${legend.y - 4}" r="4" fill="${color}"/>`,
    text({ at: { x: legend.x + 10, y: legend.y }, content: name, attributes: `fill="${color}"` }),
  ]
}

function horizontal(y: number, label: string): readonly string[] {
  return [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y)}" y2="${round(y)}" stroke="${GREY}" stroke-opacity="0.3"/>`,
    text({ at: { x: LEFT - 8, y: y + 4 }, content: label, attributes: 'text-anchor="end"' }),
  ]
}

interface Text {
  readonly at: Point
  readonly content: string
  readonly attributes: string
}

function text({ at, content, attributes }: Text): string {
  return `<text x="${round(at.x)}" y="${round(at.y)}" ${attributes}>${escapeXml(content)}</text>`
}

interface Range {
  readonly scale: Axis['scale']
  readonly ticks: readonly number[]
  readonly from: number
  readonly to: number
}

/** Ticks go from end to end of the axis. */
function scaleTo({ scale, ticks, from, to }: Range): Scale {
  const place = scale === 'log' ? Math.log10 : (value: number) => value
  const [low, high] = [place(Math.min(...ticks)), place(Math.max(...ticks))]
  const width = high === low ? 1 : high - low
  return (value) => from + ((place(value) - low) / width) * (to - from)
}

function valuesOf(values: readonly number[]): readonly number[] {
  return [...new Set(values)].toSorted((left, right) => left - right)
}

/** From 0, five or so, each a round number. */
export function linearTicks(values: readonly number[]): readonly number[] {
  const most = Math.max(...values, Number.MIN_VALUE)
  const rough = most / 5
  const decade = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * decade).find((each) => each >= rough) ?? rough
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)))
}

export function decades(values: readonly number[]): readonly number[] {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  return Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index))
}

const MIN_LABEL_DISTANCE = 34

/** Without labels that would lie on each other. */
function thinned(ticks: readonly number[], toX: Scale): readonly number[] {
  const kept: number[] = []
  for (const tick of ticks) {
    const last = kept.at(-1)
    if (last === undefined || toX(tick) - toX(last) >= MIN_LABEL_DISTANCE) kept.push(tick)
  }
  return kept
}

export function shortNumber(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))}M`
  if (value >= 10_000) return `${Number((value / 1_000).toPrecision(3))}k`
  return String(Number(value.toPrecision(4)))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
