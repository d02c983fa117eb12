import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { type CpuProfile, type Frame, stacksOf } from './cpu-profile.ts'

/**
 * `node bench/flame-graph.ts PROFILE.cpuprofile PICTURE.svg`: where the CPU goes, as a picture. Profiles come from
 * `node bench/run.ts --only gateway-platformatic --levels 256 --cpu-prof FOLDER`. What a frame's width says is its share of the time that
 * the process was busy, from its first request on.
 */
const WIDTH = 1_400
const ROW = 16
const TOP = 64
/** Pixels below which a frame is left out: nobody could read it, and there are thousands. */
const MIN_WIDTH = 1.5
const CHAR_WIDTH = 6.2

/** Who wrote the code of a frame, by where it stands; the first that fits. */
const owners = [
  { name: 'Kafka client', color: '#9b8af0', test: /@platformatic|kafkajs|fastq/ },
  { name: 'Fastify', color: '#6fcf97', test: /node_modules/ },
  { name: 'Node', color: '#8fb8de', test: /^node:/ },
  { name: 'system, engine', color: '#e0736f', test: /^$/ },
  { name: 'gateway', color: '#f2994a', test: /./ },
]

interface Node {
  readonly frame: Frame
  micros: number
  readonly children: Map<string, Node>
}

function grow(profile: CpuProfile): Node {
  const root: Node = { frame: { functionName: 'all', url: '', lineNumber: 0 }, micros: 0, children: new Map() }
  for (const { frames, micros } of stacksOf(profile)) {
    root.micros += micros
    let at = root
    for (const frame of frames) {
      const name = `${frame.functionName} ${frame.url}:${frame.lineNumber}`
      const next: Node = at.children.get(name) ?? { frame, micros: 0, children: new Map() }
      at.children.set(name, next)
      next.micros += micros
      at = next
    }
  }
  return root
}

interface Box {
  readonly x: number
  readonly depth: number
  readonly width: number
  readonly node: Node
}

function boxesOf(root: Node): readonly Box[] {
  const scale = WIDTH / root.micros
  const place = (node: Node, x: number, depth: number): readonly Box[] => {
    const width = node.micros * scale
    if (width < MIN_WIDTH) return []
    let left = x
    const above = [...node.children.values()]
      .toSorted((one, other) => other.micros - one.micros)
      .flatMap((child) => {
        const boxes = place(child, left, depth + 1)
        left += child.micros * scale
        return boxes
      })
    return [{ x, depth, width, node }, ...above]
  }
  return place(root, 0, 0)
}

function draw(root: Node, title: string): string {
  const boxes = boxesOf(root)
  const height = TOP + (Math.max(...boxes.map(({ depth }) => depth)) + 1) * ROW + 4
  const legend = owners.map(
    ({ name, color }, index) =>
      `<rect x="${index * 150 + 8}" y="34" width="12" height="12" fill="${color}"/><text x="${index * 150 + 26}" y="44">${name}</text>`,
  )
  const frames = boxes.map((box) => drawBox(box, root.micros))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="monospace" font-size="10.5">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/><text x="8" y="20" font-size="14">${escaped(title)}</text>`,
    ...legend,
    ...frames,
    '</svg>\n',
  ].join('\n')
}

function drawBox({ x, depth, width, node }: Box, total: number): string {
  const { functionName, url, lineNumber } = node.frame
  const name = functionName === '' ? '(anonymous)' : functionName
  // From the checkout's own folders on: where it lies is nobody's business.
  const file = url.replace(/^.*\/(?=(?:node_modules|src|examples|bench)\/)/, '').replace('node_modules/', '')
  const color = owners.find(({ test }) => test.test(url))?.color ?? '#ccc'
  const share = ((node.micros / total) * 100).toFixed(1)
  const told = `<title>${escaped(`${name}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}, ${share} %`)}</title>`
  const place = `x="${x.toFixed(1)}" y="${TOP + depth * ROW}"`
  const rect = `<rect ${place} width="${Math.max(width - 0.4, 0.5).toFixed(1)}" height="${ROW - 1}" fill="${color}">${told}</rect>`
  const letters = Math.floor((width - 4) / CHAR_WIDTH)
  if (letters < 4) return rect
  const text = name.length > letters ? `${name.slice(0, letters - 1)}…` : name
  return `${rect}<text x="${(x + 2).toFixed(1)}" y="${TOP + depth * ROW + 11}" pointer-events="none">${escaped(text)}</text>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const [input, output, title = 'The gateway over Kafka, 256 calls under way'] = process.argv.slice(2)
if (input === undefined || output === undefined) {
  process.stderr.write('node bench/flame-graph.ts PROFILE.cpuprofile PICTURE.svg [TITLE]\n')
  process.exitCode = 2
} else {
  // Written by Node itself.
  const profile = JSON.parse(readFileSync(input, 'utf8')) as CpuProfile
  writeFileSync(output, draw(grow(profile), title))
}
