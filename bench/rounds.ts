import type { Contender, ContenderKind } from './contender.ts'
import { measure, type Sample, type Surroundings } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { rate } from './statistics.ts'

export interface RoundsContext {
  readonly kinds: readonly ContenderKind[]
  readonly options: BenchOptions
  readonly surroundings: Surroundings
}

/** Milliseconds until V8 has compiled what is hot. */
const NODE_WARM_UP_MS = 8_000

/** A program's first seconds are its compiler's, and a broker's too; nothing of this is kept. */
export async function firstWarmUp(contenders: readonly Contender[], context: RoundsContext): Promise<void> {
  const { kinds, options, surroundings } = context
  for (const contender of contenders) {
    const { firstWarmUpMs = NODE_WARM_UP_MS } = kindOf(kinds, contender)
    const windowMs = options.quick ? options.warmUpMs : firstWarmUpMs
    await measure({ contender, round: 0, level: Math.max(...options.levels), warmUpMs: 0, windowMs, surroundings })
  }
}

/** A B C, A B C, …: a machine that slows down slows all of them down. */
export async function runRounds(contenders: readonly Contender[], context: RoundsContext): Promise<readonly Sample[]> {
  const { kinds, options, surroundings } = context
  const { rounds, levels, warmUpMs, windowMs } = options
  const samples: Sample[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const level of levels) {
      for (const contender of contenders.filter((each) => isAsked(kindOf(kinds, each), level, levels))) {
        const sample = await measure({ contender, round, level, warmUpMs, windowMs, surroundings })
        samples.push(sample)
        note(sample)
      }
    }
  }
  return samples
}

function isAsked({ levels: which }: ContenderKind, level: number, levels: readonly number[]): boolean {
  if (which === 'highest') return level === Math.max(...levels)
  return which === undefined || level > 1
}

function kindOf(kinds: readonly ContenderKind[], contender: Contender): ContenderKind {
  const kind = kinds.find(({ name }) => name === contender.name)
  if (kind === undefined) throw new Error(`there is no contender ${contender.name}`)
  return kind
}

function note(sample: Sample): void {
  const { round, contender, level, errors, firstError } = sample
  const trouble = errors === 0 ? '' : `, ${errors} errors, the first: ${firstError}`
  process.stderr.write(`round ${round}: ${contender} at ${level}: ${Math.round(rate(sample))} calls/s${trouble}\n`)
}
