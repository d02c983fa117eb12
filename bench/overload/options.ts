import { parseArgs } from 'node:util'

export interface OverloadOptions {
  /** Calls a second that the runtime can do. */
  readonly capacity: number
  readonly workers: number
  readonly serviceMs: number
  readonly overloadSeconds: number
  readonly lightSeconds: number
  readonly hotRounds: number
  readonly hotSeconds: number
  /** Measure a gateway with its limits off, too. */
  readonly contrast: boolean
  readonly out: string | undefined
}

export const USAGE = `node bench/overload/run.ts [--quick] [--contrast] [--out FILE]
  --quick     a tenth of the time: whether it runs, not how well
  --contrast  the same against a gateway without limits, for comparison
  --out FILE  write the page there, too
`

export function readOptions(argv: readonly string[]): OverloadOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: { quick: { type: 'boolean' }, contrast: { type: 'boolean' }, out: { type: 'string' } },
  })
  const [workers, serviceMs] = [10, 20]
  return {
    ...{ workers, serviceMs, capacity: (workers * 1_000) / serviceMs },
    ...(values.quick === true
      ? { overloadSeconds: 6, lightSeconds: 3, hotRounds: 1, hotSeconds: 3 }
      : { overloadSeconds: 60, lightSeconds: 20, hotRounds: 4, hotSeconds: 15 }),
    contrast: values.contrast ?? false,
    out: values.out,
  }
}
