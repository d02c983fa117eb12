import type { FastifyInstance } from 'fastify'
import { BATCH_PATH } from '../../routes/batch-schema.ts'
import { ProblemError } from '../../routes/problem.ts'

/** Refuses calls before they are read: by then the process has hardly done anything for them. */
export interface Door {
  /** @param lagMs of the event loop, since the last time */
  tick(lagMs: number): void
  /** Whether this call may come in. */
  letsIn(isRead: boolean): boolean
}

/** How much more is refused after each window in which the loop was late, and how much less after another. */
const CLOSE_STEP = 0.1
const OPEN_STEP = 0.05
/** Some are let in whatever happens: they show when it is over. */
const MAX_REFUSED = 0.9
/** Reads are refused only while more than this share of the rest is. */
const READS_FROM = 0.5

export function createDoor(maxLagMs: number): Door {
  let refused = 0
  /** Evenly spread, without chance: each call adds its share, and every whole one is a refusal. */
  let due = 0
  return {
    tick(lagMs) {
      refused = lagMs > maxLagMs ? Math.min(MAX_REFUSED, refused + CLOSE_STEP) : Math.max(0, refused - OPEN_STEP)
    },
    letsIn(isRead) {
      if (refused === 0) return true
      due += isRead ? Math.max(0, (refused - READS_FROM) / (1 - READS_FROM)) : refused
      if (due < 1) return true
      due--
      return false
    },
  }
}

/** Calls and batches; never what the gateway says of itself, to those who must know whether it lives. */
export function registerDoor(app: FastifyInstance, door: Door, onShed: () => void): void {
  app.addHook('onRequest', ({ method, routeOptions: { config, url } }, _reply, done) => {
    const isCall = config.operation !== undefined || url === BATCH_PATH
    if (!isCall || door.letsIn(method === 'GET' || method === 'HEAD')) return done()
    onShed()
    done(new ProblemError('overloaded', { detail: 'The gateway has more to do than it can. This call was not read.' }))
  })
}
