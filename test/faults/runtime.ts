import type { Execution, Mode } from './work.ts'

/** A runtime that calls end at, seen from the matrix. */
export interface Runtime {
  /** Before the load: makes what these calls need. */
  prepare(calls: readonly string[]): Promise<void>
  behave(mode: Partial<Mode>): Promise<void>
  /** How often it has executed these calls, and what it returned. */
  account(calls: readonly string[]): Promise<Account>
  forget(): Promise<void>
  /** SIGSTOP: it neither reads nor writes until `resume`. */
  stop(): void
  resume(): void
  close(): Promise<void>
}

export interface Account {
  readonly executions: readonly Execution[]
  /** Replies that were held, late, repeated or unreadable on command. */
  readonly misdeeds: number
}
