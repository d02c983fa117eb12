import type { Contender, ContenderKind } from './contender.ts'
import { measure, type Sample, type Surroundings } from './measure.ts'
import { measureOpenLoops, type OpenLoopSample } from './open-loop-run.ts'
import { type StartContext, startContender } from './start-contender.ts'
import { rate } from './statistics.ts'

export interface RoundsContext extends Omit<StartContext, 'topics'> {
  readonly surroundings: Surroundings
}

export interface Rounds {
  readonly closed: readonly Sample[]
  readonly open: readonly OpenLoopSample[]
  /** Peers that could not be started, with the reason. */
  readonly missing: ReadonlyMap<string, string>
}

/** Milliseconds until V8 has compiled what is hot, and a heap has its size. */
const NODE_WARM_UP_MS = 10_000
/** The same for the broker's JVM, before anything is measured. */
const BROKER_WARM_UP_MS = 30_000

/**
 * A B C, A B C, …: a machine that slows down slows all of them down. One program runs at a time, since those that idle cost the others
 * something, and each round starts it anew: two processes of one program differ by up to a tenth.
 */
export async function runRounds(kinds: readonly ContenderKind[], context: RoundsContext): Promise<Rounds> {
  const { options } = context
  const closed: Sample[] = []
  const open: OpenLoopSample[] = []
  const missing = new Map<string, string>()
  const starts: StartContext = { ...context, topics: new Map() }
  const begin = async (kind: ContenderKind, use: (contender: Contender) => Promise<void>): Promise<void> => {
    const started = await startContender(kind, starts)
    if ('reason' in started) return void missing.set(kind.name, started.reason)
    try {
      await use(started.contender)
    } finally {
      await started.contender.close()
    }
  }
  const overKafka = kinds.find(({ usesKafka, isPeer = false }) => usesKafka && !isPeer)
  if (overKafka !== undefined && !options.quick) {
    await begin(overKafka, (contender) => warmUp(contender, BROKER_WARM_UP_MS, context))
  }
  for (let round = 1; round <= options.rounds; round++) {
    for (const kind of kinds) {
      if (missing.has(kind.name)) continue
      await begin(kind, async (contender) => {
        await warmUp(contender, kind.firstWarmUpMs ?? NODE_WARM_UP_MS, context)
        closed.push(...(await measureLevels({ contender, kind, round }, context)))
        if (options.openLoop) open.push(...(await measureOpenLoops({ contender, round, closed }, context)))
      })
    }
  }
  return { closed, open, missing }
}

/** A program's first seconds are its compiler's; nothing of this is kept. */
async function warmUp(contender: Contender, fullMs: number, { options, surroundings }: RoundsContext): Promise<void> {
  const windowMs = options.quick ? options.warmUpMs : fullMs
  await measure({ contender, round: 0, level: Math.max(...options.levels), warmUpMs: 0, windowMs, surroundings })
}

interface Turn {
  readonly contender: Contender
  readonly kind: ContenderKind
  readonly round: number
}

/** From the lowest level up: what is held up by the highest one must not be still when it is asked less. */
async function measureLevels(
  { contender, kind, round }: Turn,
  { options, surroundings }: RoundsContext,
): Promise<readonly Sample[]> {
  const { warmUpMs, windowMs } = options
  const levels = options.levels.filter((level) => isAsked(kind, level, options.levels))
  const samples: Sample[] = []
  for (const level of levels.toSorted((one, other) => one - other)) {
    const sample = await measure({ contender, round, level, warmUpMs, windowMs, surroundings })
    samples.push(sample)
    note(sample)
  }
  return samples
}

function isAsked({ levels: which }: ContenderKind, level: number, levels: readonly number[]): boolean {
  return which === undefined || level === Math.max(...levels)
}

function note(sample: Sample): void {
  const { round, contender, level, errors, firstError } = sample
  const trouble = errors === 0 ? '' : `, ${errors} errors, the first: ${firstError}`
  process.stderr.write(`round ${round}: ${contender} at ${level}: ${Math.round(rate(sample))} calls/s${trouble}\n`)
}
