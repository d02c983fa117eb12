import type { Cluster } from './cluster.ts'
import type { Load } from './load.ts'

/** What a fault may touch while the load runs. */
export interface Stage {
  readonly cluster: Cluster
  readonly load: Load
  /** The shorter form of the matrix. */
  readonly isQuick: boolean
}

/** One row of the matrix: breaks something under load, and mends it. */
export interface Fault {
  readonly name: string
  /** What is done, for the page. */
  readonly what: string
  /** Before the load starts. */
  prepare?(cluster: Cluster): Promise<void>
  /** @returns what shows that the fault was really there */
  inject(stage: Stage): Promise<string>
  /** After the last answer was collected. */
  restore?(cluster: Cluster): Promise<void>
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
