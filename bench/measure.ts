import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AskableChild } from './askable-child.ts'
import type { Contender } from './contender.ts'
import type { Measured } from './load.ts'
import type { Pace } from './pace.ts'
import { cpuMsOf } from './process-cpu.ts'
import { cpuOf, rate } from './statistics.ts'

/** CPU of a window, in milliseconds. */
export interface Costs {
  readonly cpuMs: number
  readonly rssBytes: number
  /** Of each process of the contender, where it has several. */
  readonly processes: readonly ProcessCost[]
  /** What the others took meanwhile. */
  readonly loadCpuMs: number
  readonly workerCpuMs: number
  readonly brokerCpuMs: number
  /** `undefined`: nobody took it. */
  readonly pace: Pace | undefined
}

export interface ProcessCost {
  readonly process: string
  readonly cpuMs: number
  readonly rssBytes: number
}

/** One window of one contender at one level. */
export interface Sample extends Measured, Costs {
  readonly contender: string
  readonly round: number
  /** Of its round: those of one turn were measured one right after the other. */
  readonly turn: number
  readonly level: number
}

/** The processes that all contenders share. */
export interface Surroundings {
  readonly worker: AskableChild | undefined
  readonly brokerPids: readonly number[]
  /** Who takes the machine's pace. */
  readonly paceKeeper: AskableChild | undefined
}

export interface MeasureOptions {
  readonly contender: Contender
  readonly round: number
  readonly turn?: number
  readonly level: number
  readonly warmUpMs: number
  readonly windowMs: number
  readonly surroundings: Surroundings
}

export async function measure(options: MeasureOptions): Promise<Sample> {
  const { contender, round, turn = 1, level, warmUpMs, windowMs, surroundings } = options
  await serve(contender, surroundings)
  const load = await contender.open(level)
  try {
    await sleep(warmUpMs)
    const costs = await startCosts(contender, surroundings)
    await load.reset()
    await sleep(windowMs)
    const measured = await load.take()
    return { ...measured, ...(await costs.take()), contender: contender.name, round, turn, level }
  } finally {
    await load.close()
  }
}

/** A line of progress. */
export function noteSample(sample: Sample): void {
  const { round, turn, contender, level, calls, errors, firstError } = sample
  const trouble = errors === 0 ? '' : `, ${errors} errors, the first: ${firstError}`
  const cost = calls === 0 ? '' : `, ${cpuOf(sample).toFixed(1)} ms/1k`
  const what = `${contender} at ${level}: ${Math.round(rate(sample))} calls/s${cost}`
  process.stderr.write(`round ${round}, turn ${turn}: ${what}${trouble}\n`)
}

/** From now on the worker answers this contender's calls. */
export async function serve({ topics }: Contender, { worker }: Surroundings): Promise<void> {
  if (topics !== undefined) await worker?.ask('serve', topics)
}

/** What everybody takes from now on until `take`. */
export async function startCosts(
  contender: Contender,
  surroundings: Surroundings,
): Promise<{ take(): Promise<Costs> }> {
  await takePace(surroundings)
  const before = await readUsage(contender, surroundings)
  return {
    async take() {
      const after = await readUsage(contender, surroundings)
      const processes = after.processes.map((one) => {
        const start = before.processes.find(({ process }) => process === one.process)
        return { ...one, cpuMs: one.cpuMs - (start?.cpuMs ?? 0) }
      })
      return {
        cpuMs: after.cpuMs - before.cpuMs,
        rssBytes: after.rssBytes,
        processes,
        loadCpuMs: after.loadCpuMs - before.loadCpuMs,
        workerCpuMs: after.workerCpuMs - before.workerCpuMs,
        brokerCpuMs: after.brokerCpuMs - before.brokerCpuMs,
        pace: await takePace(surroundings),
      }
    },
  }
}

async function takePace({ paceKeeper }: Surroundings): Promise<Pace | undefined> {
  // The keeper's own answer.
  return (await paceKeeper?.ask('pace')) as Pace | undefined
}

async function readUsage(contender: Contender, { worker, brokerPids }: Surroundings) {
  const own = process.cpuUsage()
  const brokerCpuMs = cpuMsOf(brokerPids)
  const [usage, workerUsage] = await Promise.all([contender.usage(), worker?.usage()])
  const processes = contender.processes?.() ?? []
  return {
    cpuMs: usage.cpuMicros / 1_000,
    rssBytes: usage.rssBytes,
    processes: processes.map((one) => ({ ...one, cpuMs: one.cpuMicros / 1_000 })),
    loadCpuMs: (own.user + own.system) / 1_000,
    workerCpuMs: (workerUsage?.cpuMicros ?? 0) / 1_000,
    brokerCpuMs,
  }
}
