import { REPLICA_DIGITS } from '../invocations/stray-keeper.ts'

/** What a worker is told when it is started, in its environment. */
export interface SeatFacts {
  /** From 1. One that takes a dead worker's place has its number. */
  readonly number: number
  readonly count: number
  /** With the store in the primary's memory: the digits that the names of all its workers begin with. */
  readonly container: string | undefined
  /** How many workers were started before this one. */
  readonly before: number
}

export const SEAT_VARIABLE = 'WORKER_SEAT'

/** Hexadecimal digits of a replica's name that say which worker it is. */
const WORKER_DIGITS = 2
export const CONTAINER_DIGITS = REPLICA_DIGITS - WORKER_DIGITS

/**
 * The name by which a worker is a replica. All of one container begin alike, so that a worker knows without asking whether a reply may
 * belong to a record in their store. Numbers come again after 256 workers; long before, their calls are over.
 */
export function replicaName({ container, before }: SeatFacts): string | undefined {
  if (container === undefined) return undefined
  const number = before % 16 ** WORKER_DIGITS
  return container + number.toString(16).padStart(WORKER_DIGITS, '0')
}

/** @param env what this process starts of its own must not take its seat, so the variable is taken out */
export function readSeat(env: Record<string, string | undefined>): SeatFacts | undefined {
  const text = env[SEAT_VARIABLE]
  delete env[SEAT_VARIABLE]
  // The primary process of the same program wrote it.
  return text === undefined ? undefined : (JSON.parse(text) as SeatFacts)
}
