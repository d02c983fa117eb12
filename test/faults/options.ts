import { parseArgs } from 'node:util'

export interface FaultOptions {
  readonly isQuick: boolean
  /** Words that a row's name must hold one of; none: all rows. */
  readonly only: readonly string[]
  readonly callsPerSecond: number
  /** A word of the subject's name; `undefined`: all subjects. */
  readonly subject: string | undefined
  /** `undefined`: the page is not written. */
  readonly out: string | undefined
}

export const USAGE = `Usage: npm run faults -- [options]
  --quick         the shorter form, for CI; writes no page
  --only WORDS    rows whose name holds one of these words, separated by commas; writes no page
  --subject WORD  only what has this word in its name; writes no page
  --rate N        calls a second (60)
  --out FILE      where the page goes (docs/fault-matrix.md for a whole run)
`

const DEFAULT_RATE = 60

export function readOptions(argv: readonly string[]): FaultOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      rate: { type: 'string', default: String(DEFAULT_RATE) },
      subject: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const only = values.only.split(',').filter((word) => word !== '')
  const callsPerSecond = Number(values.rate)
  if (!(callsPerSecond > 0)) throw new RangeError(`--rate is a number above 0\n\n${USAGE}`)
  const isWhole = !values.quick && only.length === 0 && values.subject === undefined
  return {
    isQuick: values.quick,
    only,
    callsPerSecond,
    subject: values.subject,
    out: values.out ?? (isWhole ? 'docs/fault-matrix.md' : undefined),
  }
}
