import { memberOf } from '../../routes/target.ts'
import type { HealthCheck, Invocation, Log } from '../../runtime-adapters/contract.ts'

/** Answers of runtimes that nobody can use: not readable, or not what the metadata promises. */
export interface UnusableAnswers {
  note(invocation: Invocation, detail: string): void
  checks(): readonly HealthCheck[]
}

/** Milliseconds after which such an answer says nothing about the present any more. */
const RECENT_MS = 10 * 60_000
const HINT = 'If the runtime’s code has changed since its metadata was exported, export it again.'

export function createUnusableAnswers(log: Log): UnusableAnswers {
  let count = 0
  let last: { readonly atMs: number; readonly what: string; readonly detail: string } | undefined

  return {
    note({ target }, detail) {
      const member = memberOf(target)
      const what = `${target.entity.name}${member === '' ? '' : `.${member}`} (${target.kind})`
      last = { atMs: Date.now(), what, detail }
      count++
      // At the 1st, 2nd, 4th, 8th …: it must be seen, and must not fill the log.
      if ((count & (count - 1)) !== 0) return
      log.warn(
        { entity: target.entity.name, operation: target.kind, member, count, detail },
        `an answer can’t be used. ${HINT}`,
      )
    },
    checks() {
      if (last === undefined) return []
      const agoMs = Date.now() - last.atMs
      if (agoMs > RECENT_MS) return []
      const seconds = Math.round(agoMs / 1_000)
      const detail = `Of ${count} that can’t be used, the last was of ${last.what}, ${seconds} s ago: ${last.detail} ${HINT}`
      return [{ name: 'answers', ok: false, essential: false, detail }]
    },
  }
}
