import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contender.ts'
import { type Costs, type Sample, type Surroundings, serve, startCosts } from './measure.ts'
import { type OpenLoopMeasured, startOpenLoop } from './open-loop.ts'
import type { BenchOptions } from './options.ts'
import type { Pause } from './pauses.ts'
import { median, rate } from './statistics.ts'

/** One window of one contender at one rate. */
export interface OpenLoopSample extends OpenLoopMeasured, Costs {
  readonly contender: string
  readonly round: number
  readonly plan: Plan
  readonly pauses: PausesOf
}

/** A share of the gateway's own closed-loop maximum, or the same calls a second for everybody. */
export interface Plan {
  readonly name: '70 %' | '30 %' | 'common'
  readonly ratePerS: number
}

/** Pauses of a window, by who paused. */
export interface PausesOf {
  readonly contender: readonly Pause[]
  /** Produces of the worker that the broker took long to answer. */
  readonly broker: readonly Pause[]
  /** The load generator stood still. */
  readonly load: readonly Pause[]
}

/** A contender that runs, and what was measured in closed loops so far. */
export interface OpenLoopTurn {
  readonly contender: Contender
  readonly round: number
  readonly closed: readonly Sample[]
}

/** The gateway as it is by default, with records as small as the others have them. Whose closed-loop maximum the shares are taken of. */
export const REFERENCE = 'gateway-statefun'
/** The same with StateFlow's events: each holds the dataflow graph of its method. What the variants differ from in one thing. */
export const WITH_STATEFLOW = 'gateway-platformatic'
/** Measured at the shares; everybody over Kafka at the common rate. */
const AT_SHARES = [REFERENCE, WITH_STATEFLOW, 'minimal']
const COMMON_RATE_PER_S = 500
/** A contender that can't take this many times the common rate is not asked for it. */
const HEADROOM = 1.4
const CONNECTIONS = 512

/** At each rate that it is asked for. The gateway whose maximum the shares are taken of comes before those that are asked for them, too. */
export async function measureOpenLoops(
  { contender, round, closed }: OpenLoopTurn,
  { options, surroundings }: { readonly options: BenchOptions; readonly surroundings: Surroundings },
): Promise<readonly OpenLoopSample[]> {
  const { warmUpMs, openLoopMs } = options
  const samples: OpenLoopSample[] = []
  const inRound = closed.filter((sample) => sample.round === round)
  for (const plan of plansFor(contender, { maximum: maximumOf(inRound, REFERENCE), closed: inRound })) {
    const isLong = plan.name === '70 %' && contender.name === REFERENCE
    const windowMs = isLong ? openLoopMs : openLoopMs / 4
    const sample = await measureOne({ contender, plan, warmUpMs, windowMs, surroundings })
    samples.push({ ...sample, round })
    note(round, sample)
  }
  return samples
}

function note(round: number, sample: Omit<OpenLoopSample, 'round'>): void {
  const { contender, plan, p50Us, p99Us, errors, firstError = '', unanswered } = sample
  const silence = unanswered === 0 ? '' : `, ${unanswered} unanswered`
  const trouble = errors === 0 ? silence : `${silence}, ${errors} errors, the first: ${firstError}`
  const at = `${contender} at ${Math.round(plan.ratePerS)}/s`
  process.stderr.write(`round ${round}: ${at}: p50 ${p50Us / 1_000} ms, p99 ${p99Us / 1_000} ms${trouble}\n`)
}

function plansFor(
  { name, reach, topics }: Contender,
  { maximum, closed }: { readonly maximum: number; readonly closed: readonly Sample[] },
): readonly Plan[] {
  const isOverLog = topics !== undefined || name === 'restate'
  const isVariant = name.startsWith('gateway-') && ![REFERENCE, WITH_STATEFLOW, 'gateway-kafkajs'].includes(name)
  if (reach === undefined || !isOverLog || isVariant) return []
  const shares: readonly Plan[] = [
    { name: '70 %', ratePerS: maximum * 0.7 },
    { name: '30 %', ratePerS: maximum * 0.3 },
  ]
  const common: Plan = { name: 'common', ratePerS: COMMON_RATE_PER_S }
  const isFastEnough = maximumOf(closed, name) > COMMON_RATE_PER_S * HEADROOM
  return [...(AT_SHARES.includes(name) && maximum > 0 ? shares : []), ...(isFastEnough ? [common] : [])]
}

/** Calls a second at the highest level; 0 where it was not measured. */
function maximumOf(closed: readonly Sample[], contender: string): number {
  const own = closed.filter((sample) => sample.contender === contender)
  const highest = Math.max(...own.map(({ level }) => level))
  return own.length === 0 ? 0 : median(own.filter(({ level }) => level === highest).map(rate))
}

interface One {
  readonly contender: Contender
  readonly plan: Plan
  readonly warmUpMs: number
  readonly windowMs: number
  readonly surroundings: Surroundings
}

async function measureOne(one: One): Promise<Omit<OpenLoopSample, 'round'>> {
  const { contender, plan, warmUpMs, windowMs, surroundings } = one
  if (contender.reach === undefined) throw new Error(`${contender.name} has no HTTP`)
  await serve(contender, surroundings)
  const load = await startOpenLoop({ reach: contender.reach, ratePerS: plan.ratePerS, connections: CONNECTIONS })
  try {
    await sleep(warmUpMs)
    await takePauses(one)
    const costs = await startCosts(contender, surroundings)
    load.reset()
    await sleep(windowMs)
    const measured = load.take()
    const pauses = { ...(await takePauses(one)), load: measured.stalls }
    return { ...measured, ...(await costs.take()), contender: contender.name, plan, pauses }
  } finally {
    await load.close()
  }
}

async function takePauses({ contender, surroundings }: One): Promise<Omit<PausesOf, 'load'>> {
  return {
    contender: (await contender.pauses?.()) ?? [],
    // The worker's own list.
    broker: ((await surroundings.worker?.ask('pauses')) ?? []) as readonly Pause[],
  }
}
