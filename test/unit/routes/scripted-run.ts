import { PassThrough, Readable } from 'node:stream'
import type { BatchCall } from '../../../src/routes/batch-call.ts'
import { type BatchLimits, BatchRun } from '../../../src/routes/batch-run.ts'
import { ProblemError } from '../../../src/routes/problem.ts'
import type { HttpAnswer } from '../../../src/routes/to-http.ts'
import type { BatchAnswer } from '../../helpers/batch-client.ts'

const generous: BatchLimits = { maxLines: 100, maxBytes: 1_000_000, maxLineBytes: 1_000, idleMs: 10_000 }
export const done: HttpAnswer = { status: 200, headers: {}, body: 'true' }

interface Build {
  readonly source?: Readable
  readonly limits?: Partial<BatchLimits>
  readonly answer?: (call: BatchCall) => Promise<HttpAnswer>
}

/** A run whose lines are `lane:anything`; nothing is behind it but the function that answers. */
export function build({ source = new PassThrough(), limits = {}, answer = async () => done }: Build = {}) {
  const calls: string[] = []
  const run = new BatchRun({
    source,
    limits: { ...generous, ...limits },
    newId: () => 'new',
    read(bytes, number) {
      const id = bytes.toString()
      if (id.startsWith('!')) {
        return {
          kind: 'refused',
          place: { kind: 'line', number },
          problem: new ProblemError('bad_request', { detail: id }),
        }
      }
      const lane = id.split(':')[0]
      // The run looks at the place and the lane of a call, and at nothing else.
      return { kind: 'call', place: { kind: 'id', id }, lane } as BatchCall
    },
    answer(call) {
      calls.push(idOf(call))
      return answer(call)
    },
  })
  return { run, source, calls }
}

export function idOf({ place }: BatchCall): string {
  return place.kind === 'id' ? String(place.id) : `line ${place.number}`
}

/** Calls that are answered when the test says so. */
export function createGate() {
  const open = new Map<string, (answer: HttpAnswer) => void>()
  return {
    answer: (call: BatchCall) => new Promise<HttpAnswer>((resolve) => open.set(idOf(call), resolve)),
    let: (id: string) => open.get(id)?.(done),
  }
}

/** Written by the run under test. */
export const parse = (lines: string) =>
  lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as BatchAnswer)

export const sourceOf = (lines: string) => Readable.from([Buffer.from(lines)])
export const tick = () => new Promise(setImmediate)
