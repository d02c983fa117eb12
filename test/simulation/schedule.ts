import { createSimulatedBroker, type Trouble } from './broker.ts'
import { startCallers } from './callers.ts'
import { violations } from './invariants.ts'
import { createRandom, type Random } from './random.ts'
import { createReplica, type Replica } from './replica.ts'
import { createSharedStore, type StoreTrouble } from './shared-store.ts'
import { installVirtualTime, type VirtualTime } from './virtual-time.ts'

/** What one schedule showed. */
export interface Verdict {
  readonly seed: number
  readonly violations: readonly string[]
  readonly calls: number
  /** How many answers of each HTTP status there were: a simulation that never fails anything would prove nothing. */
  readonly statuses: Readonly<Record<string, number>>
}

/** Milliseconds in which calls start, and troubles begin. */
const BUSY_MS = 3_000
/** Milliseconds after which everything has come that comes. */
const OVER_MS = 20_000
/** Milliseconds that the answer to a kept call is waited for: less than a schedule, or more. */
const LIFETIMES_MS = [8_000, 60_000] as const
/** Milliseconds that a replica needs to stop. */
const STOP_MS = 4_000

/** One world, from its start to its end; the same for the same seed. */
export async function runSchedule(seed: number): Promise<Verdict> {
  const time = installVirtualTime()
  try {
    return await runIn(time, seed)
  } finally {
    time.uninstall()
  }
}

async function runIn(time: VirtualTime, seed: number): Promise<Verdict> {
  const random = createRandom(seed)
  const isShared = random.chance(0.8)
  const broker = createSimulatedBroker({ random, time, trouble: troubleOf(random) })
  const store = createSharedStore({ random, time, isShared, trouble: storeTroubleOf(random) })
  const lifetimeMs = random.pick(LIFETIMES_MS)
  const maxCalls = random.chance(0.2) ? 2 : 100
  const count = isShared ? random.integer(1, 3) : 1
  const replicas = Array.from({ length: count }, (_, index) =>
    createReplica({ name: `00000${index}`, broker, store, lifetimeMs, maxCalls }),
  )
  for (const replica of replicas) void replica.start()
  await time.run(100)
  const calls = startCallers({ random, time, replicas, calls: random.integer(1, 10), withinMs: BUSY_MS })
  // One replica is left to collect from.
  for (const replica of replicas.slice(1)) endSomeWay(replica, random, time)
  await time.run(OVER_MS)
  for (const call of calls) call.isCutOff = call.answers.length === 0 && call.replica.wasKilled
  const evidence = { truth: broker.truth, calls, replicas, store: store.behind, storeIsShared: isShared }
  const found = await violations(evidence)
  const stuck = lifetimeMs < OVER_MS ? pendingIn(replicas) : []
  const left = await closeAll(replicas, time)
  return { seed, violations: [...found, ...stuck, ...left], calls: calls.length, statuses: statusesOf(calls) }
}

function troubleOf(random: Random): Trouble {
  const sometimes = (probability: number): number => (random.chance(0.5) ? probability : 0)
  const stallsAt = random.integer(0, BUSY_MS)
  return {
    refusedSends: sometimes(0.2),
    doubtfulSends: sometimes(0.2),
    lostExecutions: sometimes(0.2),
    oddReplies: sometimes(0.3),
    doubledReplies: sometimes(0.3),
    slowSendMs: random.pick([0, 5, 5, 100, 1_200]),
    slowExecutionMs: random.pick([0, 20, 20, 300, 3_000]),
    slowReadMs: random.pick([0, 10, 200, 2_000]),
    stall: random.chance(0.2) ? [stallsAt, stallsAt + random.integer(0, 3_000)] : [0, 0],
  }
}

function storeTroubleOf(random: Random): StoreTrouble {
  const awayAt = random.integer(0, BUSY_MS)
  return {
    away: random.chance(0.25) ? [awayAt, awayAt + random.integer(0, 4_000)] : [0, 0],
    lostAnswers: random.chance(0.2) ? 0.05 : 0,
    slowMs: random.pick([0, 0, 3, 200]),
  }
}

function endSomeWay(replica: Replica, random: Random, time: VirtualTime): void {
  const way = random.pick(['lives', 'killed', 'killed', 'stopped'])
  if (way === 'lives') return
  time.at(random.integer(0, BUSY_MS + 1_000), () => {
    if (way === 'killed') replica.kill()
    else void replica.stop()
  })
}

/** @returns what was left behind */
async function closeAll(replicas: readonly Replica[], time: VirtualTime): Promise<readonly string[]> {
  for (const replica of replicas) void replica.stop()
  await time.run(OVER_MS + STOP_MS)
  return [...pendingIn(replicas), ...(time.timers === 0 ? [] : [`${time.timers} timers are left`])]
}

function pendingIn(replicas: readonly Replica[]): readonly string[] {
  return replicas
    .filter(({ pending }) => pending > 0)
    .map(({ name, pending }) => `${name} has ${pending} pending calls`)
}

function statusesOf(calls: ReturnType<typeof startCallers>): Readonly<Record<string, number>> {
  const statuses: Record<string, number> = {}
  for (const { answers } of calls) {
    const status = String(answers[0]?.answer.status ?? 'none')
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  return statuses
}
