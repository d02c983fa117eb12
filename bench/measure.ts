import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AskableChild } from './askable-child.ts'
import type { Contender } from './contender.ts'
import type { Measured } from './load.ts'
import { cpuMsOf } from './process-cpu.ts'

/** One window of one contender at one level. CPU is in milliseconds of the window. */
export interface Sample extends Measured {
  readonly contender: string
  readonly level: number
  readonly cpuMs: number
  readonly rssBytes: number
  /** What the others took meanwhile. */
  readonly loadCpuMs: number
  readonly workerCpuMs: number
  readonly brokerCpuMs: number
}

/** The processes that all contenders share. */
export interface Surroundings {
  readonly worker: AskableChild | undefined
  readonly brokerPids: readonly number[]
}

export interface MeasureOptions {
  readonly contender: Contender
  readonly level: number
  readonly warmUpMs: number
  readonly windowMs: number
  readonly surroundings: Surroundings
}

export async function measure(options: MeasureOptions): Promise<Sample> {
  const { contender, level, warmUpMs, windowMs, surroundings } = options
  if (contender.topics !== undefined) await surroundings.worker?.ask('serve', contender.topics)
  const load = await contender.open(level)
  try {
    await sleep(warmUpMs)
    const before = await readUsage(contender, surroundings)
    await load.reset()
    await sleep(windowMs)
    const measured = await load.take()
    const after = await readUsage(contender, surroundings)
    return {
      ...measured,
      contender: contender.name,
      level,
      cpuMs: after.cpuMs - before.cpuMs,
      rssBytes: after.rssBytes,
      loadCpuMs: after.loadCpuMs - before.loadCpuMs,
      workerCpuMs: after.workerCpuMs - before.workerCpuMs,
      brokerCpuMs: after.brokerCpuMs - before.brokerCpuMs,
    }
  } finally {
    await load.close()
  }
}

async function readUsage(contender: Contender, { worker, brokerPids }: Surroundings) {
  const own = process.cpuUsage()
  const brokerCpuMs = cpuMsOf(brokerPids)
  const [usage, workerUsage] = await Promise.all([contender.usage(), worker?.usage()])
  return {
    cpuMs: usage.cpuMicros / 1_000,
    rssBytes: usage.rssBytes,
    loadCpuMs: (own.user + own.system) / 1_000,
    workerCpuMs: (workerUsage?.cpuMicros ?? 0) / 1_000,
    brokerCpuMs,
  }
}
