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

export const USAGE = `node bench/overload/run.ts [--quick] [--contrast] [--workers N] [--service-ms MS] [--out FILE]
  --quick     a tenth of the time: whether it runs, not how well
  --contrast  the same against a gateway without limits, for comparison
  --workers N, --service-ms MS
              calls that the runtime works on at a time, and how long each takes; default: 20 and 40
  --out FILE  write the page there, too
`

export function readOptions(argv: readonly string[]): OverloadOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...{ quick: { type: 'boolean' }, contrast: { type: 'boolean' }, out: { type: 'string' } },
      ...{ workers: { type: 'string', default: '20' }, 'service-ms': { type: 'string', default: '40' } },
    },
  })
  const [workers, serviceMs] = [Number(values.workers), Number(values['service-ms'])]
  return {
    ...{ workers, serviceMs, capacity: (workers * 1_000) / serviceMs },
    ...(values.quick === true
      ? { overloadSeconds: 6, lightSeconds: 3, hotRounds: 1, hotSeconds: 3 }
      : { overloadSeconds: 60, lightSeconds: 20, hotRounds: 4, hotSeconds: 15 }),
    contrast: values.contrast ?? false,
    out: values.out,
  }
}
