import { describeProblem, type MetadataProblem } from './metadata-error.ts'

/** What metadata says that is no failure, and maybe not what was meant. */
export interface Hints {
  readonly note: (hint: MetadataProblem) => void
  /** In words, each message with its first place. */
  readonly said: readonly string[]
}

export function createHints(): Hints {
  const byMessage = new Map<string, string>()
  return {
    note(hint) {
      if (!byMessage.has(hint.message)) byMessage.set(hint.message, describeProblem(hint))
    },
    get said() {
      return [...byMessage.values()]
    },
  }
}
