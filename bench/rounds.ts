import type { Contender, ContenderGroup, ContenderKind } from './contender.ts'
import { measure, noteSample, type Sample, type Surroundings } from './measure.ts'
import { measureOpenLoops, type OpenLoopSample } from './open-loop-run.ts'
import { type StartContext, startContender } from './start-contender.ts'

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
 * Group after group; in a group A B C, A B C, …: a machine that slows down slows all of them down. Each round starts the programs anew,
 * since two processes of one program differ by up to a tenth.
 */
export async function runRounds(groups: readonly ContenderGroup[], context: RoundsContext): Promise<Rounds> {
  const run: Run = { context: { ...context, topics: new Map() }, closed: [], open: [], missing: new Map() }
  const { options } = context
  const overKafka = groups.flat().find(({ usesKafka, isPeer = false }) => usesKafka && !isPeer)
  if (overKafka !== undefined && !options.quick) {
    await withStarted([overKafka], run, async (running) => {
      for (const { contender } of running) await warmUp(contender, BROKER_WARM_UP_MS, context)
    })
  }
  for (let round = 1; round <= options.rounds; round++) {
    for (const [index, group] of groups.entries()) {
      const place = { round, firstTurn: index * options.turns + 1 }
      await withStarted(group, run, (running) => measureGroup(running, place, run))
    }
  }
  return run
}

interface Run extends Rounds {
  readonly context: RoundsContext & StartContext
  readonly closed: Sample[]
  readonly open: OpenLoopSample[]
  readonly missing: Map<string, string>
}

interface Running {
  readonly kind: ContenderKind
  readonly contender: Contender
}

/** Those of them that can be started; what was started ends, whatever happens. */
async function withStarted(
  kinds: ContenderGroup,
  { context, missing }: Run,
  use: (running: readonly Running[]) => Promise<void>,
): Promise<void> {
  const running: Running[] = []
  try {
    for (const kind of kinds) {
      if (missing.has(kind.name)) continue
      const started = await startContender(kind, context)
      if ('reason' in started) missing.set(kind.name, started.reason)
      else running.push({ kind, contender: started.contender })
    }
    await use(running)
  } finally {
    for (const { contender } of running) await contender.close()
  }
}

interface Place {
  readonly round: number
  /** Turns are counted through all groups. */
  readonly firstTurn: number
}

/** From the lowest level up: what is held up by the highest one must not be still when it is asked less. */
async function measureGroup(running: readonly Running[], { round, firstTurn }: Place, run: Run): Promise<void> {
  const { options, surroundings } = run.context
  const { levels, turns, warmUpMs, windowMs } = options
  for (const { contender, kind } of running) {
    await warmUp(contender, kind.firstWarmUpMs ?? NODE_WARM_UP_MS, run.context)
  }
  for (const level of levels.toSorted((one, other) => one - other)) {
    const asked = running.filter(({ kind }) => isAsked(kind, level, levels))
    for (let turn = firstTurn; turn < firstTurn + turns; turn++) {
      for (const { contender } of asked) {
        const sample = await measure({ contender, round, turn, level, warmUpMs, windowMs, surroundings })
        run.closed.push(sample)
        noteSample(sample)
      }
    }
  }
  if (!options.openLoop) return
  // In the first of its groups.
  const isNew = ({ name }: Contender) => !run.open.some((each) => each.contender === name && each.round === round)
  for (const { contender } of running.filter((one) => isNew(one.contender))) {
    run.open.push(...(await measureOpenLoops({ contender, round, closed: run.closed }, run.context)))
  }
}

/** A program's first seconds are its compiler's; nothing of this is kept. */
async function warmUp(contender: Contender, fullMs: number, { options, surroundings }: RoundsContext): Promise<void> {
  const windowMs = options.quick ? options.warmUpMs : fullMs
  await measure({ contender, round: 0, level: Math.max(...options.levels), warmUpMs: 0, windowMs, surroundings })
}

function isAsked({ levels: which }: ContenderKind, level: number, levels: readonly number[]): boolean {
  return which === undefined || level === Math.max(...levels)
}
