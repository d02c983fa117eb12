/** A Redis that the matrix may stop. */
export interface FaultRedis {
  readonly url: string
  stop(): Promise<void>
  restart(): Promise<void>
  close(): Promise<void>
}

/** @returns `undefined` where none can be had */
export async function startFaultRedis(): Promise<FaultRedis | undefined> {
  return undefined
}
