import { mkdirSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import type { Kafka } from '../test/helpers/kafka-broker.ts'
import type { Contender } from './contender.ts'
import { renderCurves } from './curve-page.ts'
import { type CurveSpec, curveSpecs } from './curve-specs.ts'
import type { Machine } from './machine.ts'
import { measure, type Sample, type Surroundings } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { measureReplicas, REPLICAS_LEVEL } from './replicas.ts'
import { cpuOf, median } from './statistics.ts'
import { renderChart } from './svg-chart.ts'

export interface CurvesContext {
  readonly kafka: Kafka
  readonly surroundings: Surroundings
  readonly machine: Machine
}

/** What a call costs, by one thing that grows. */
export interface Curve {
  readonly file: string
  readonly title: string
  readonly xLabel: string
  readonly note: string
  readonly samples: readonly CurveSample[]
}

export interface CurveSample extends Sample {
  readonly line: string
  readonly x: number
}

const CURVES_FILE = 'bench/CURVES.md'
const FOLDER = 'bench/curves'

/** Measures them all, writes the pictures and the page. With `quick`, the page is only printed. */
export async function drawCurves(options: BenchOptions, context: CurvesContext): Promise<void> {
  const curves: Curve[] = []
  const isWanted = (file: string) => options.only?.includes(file) ?? true
  for (const spec of curveSpecs.filter(({ file }) => isWanted(file))) {
    process.stderr.write(`curve: ${spec.file}\n`)
    curves.push({ ...spec, samples: await measureCurve(spec, options, context) })
  }
  if (isWanted('replicas')) curves.push(await replicaCurve(options, context))
  const page = renderCurves(curves, { machine: context.machine, options })
  process.stdout.write(page)
  if (curves.some(({ samples }) => samples.some(({ errors }) => errors > 0))) process.exitCode = 1
  if (options.quick) return
  mkdirSync(FOLDER, { recursive: true })
  for (const curve of curves) writeFileSync(`${FOLDER}/${curve.file}.svg`, draw(curve))
  writeFileSync(options.out ?? CURVES_FILE, page)
}

async function measureCurve(
  { lines }: CurveSpec,
  { rounds, warmUpMs, windowMs, partitions }: BenchOptions,
  { kafka, surroundings }: CurvesContext,
): Promise<readonly CurveSample[]> {
  const contenders: Contender[] = []
  const samples: CurveSample[] = []
  try {
    const points = []
    for (const { line, at, xs, levelOf } of lines) {
      for (const x of xs) {
        const contender = await at(x, { kafka, partitions })
        if (!contenders.includes(contender)) contenders.push(contender)
        points.push({ line, x, contender, level: levelOf(x) })
      }
    }
    const windows = { warmUpMs, windowMs, surroundings }
    for (const { contender, level } of points) await measure({ contender, round: 0, level, ...windows, windowMs: 500 })
    for (let round = 1; round <= rounds; round++) {
      for (const { line, x, contender, level } of points) {
        const sample = { ...(await measure({ contender, round, level, ...windows })), line, x }
        samples.push(sample)
        note(sample)
      }
    }
  } finally {
    await Promise.all(contenders.map(({ close }) => close()))
  }
  return samples
}

function note({ round, line, x, errors, firstError = '', ...counted }: CurveSample): void {
  const trouble = errors === 0 ? '' : `, ${errors} errors ${firstError}`
  process.stderr.write(`round ${round}: ${line} at ${x}: ${cpuOf(counted).toFixed(1)} ms/1k${trouble}\n`)
}

const LINE_OF = {
  unkeyed: 'without a key',
  all: 'keyed, all read',
  own: 'keyed, own read',
  none: 'bare Fastify',
} as const

async function replicaCurve(options: BenchOptions, context: CurvesContext): Promise<Curve> {
  const samples = await measureReplicas(options, context)
  return {
    file: 'replicas',
    title: 'CPU of a call by replicas',
    xLabel: 'replicas',
    note: `${REPLICAS_LEVEL} calls under way, shared out among them; CPU of all replicas together. Replies without a key, or keyed by the call’s id and read by all replicas or by their own (\`KAFKA_REPLY_PARTITIONS=own\`). Bare Fastify in as many processes is what these cost by themselves.`,
    samples: samples.map((sample) => ({ ...sample, line: LINE_OF[sample.reading], x: sample.replicas })),
  }
}

function draw({ title, xLabel, samples }: Curve): string {
  const names = [...new Set(samples.map(({ line }) => line))]
  const lines = names.map((name) => {
    const own = samples.filter(({ line }) => line === name)
    const xs = [...new Set(own.map(({ x }) => x))]
    const points = xs.map((x) => ({ x, y: median(own.filter((each) => each.x === x).map(cpuOf)) }))
    // Where no call came back there is nothing to draw.
    return { name, points: points.filter(({ y }) => Number.isFinite(y)) }
  })
  return renderChart({
    title,
    x: { label: xLabel, scale: 'log' },
    y: { label: 'CPU ms per 1,000 calls', scale: spanOf(lines.flatMap(({ points }) => points.map(({ y }) => y))) },
    lines,
  })
}

/** Beyond a factor of ten, small figures would lie on the axis. */
function spanOf(values: readonly number[]): 'linear' | 'log' {
  return Math.max(...values) > 10 * Math.min(...values) ? 'log' : 'linear'
}
