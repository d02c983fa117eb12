import type { InvocationRecord, OpenResult, StoredAnswer } from '../../routes/invocation-store.ts'
import type { MemoryStore } from '../invocations/memory-store.ts'

/** What workers ask of the store that lives in the primary process. */
export type StoreQuestion =
  | { readonly op: 'open'; readonly record: InvocationRecord; readonly scope: string | undefined }
  | { readonly op: 'read' | 'accept' | 'drop'; readonly id: string }
  | { readonly op: 'finish'; readonly id: string; readonly answer: StoredAnswer }
  | { readonly op: 'release'; readonly id: string; readonly scope: string | undefined; readonly answer: StoredAnswer }
  | { readonly op: 'wait-for' | 'wait-for-acceptance'; readonly id: string; readonly untilMs: number }
  | { readonly op: 'beat' | 'leave'; readonly replica: string }
  | { readonly op: 'health' }

/** What comes back. */
export interface StoreAnswers {
  readonly open: OpenResult
  readonly read: InvocationRecord | 'gone' | undefined
  readonly accept: undefined
  readonly finish: boolean
  readonly release: undefined
  readonly drop: undefined
  readonly 'wait-for': StoredAnswer | undefined
  readonly 'wait-for-acceptance': StoredAnswer | 'accepted' | undefined
  readonly beat: ReadonlySet<string>
  readonly leave: undefined
  readonly health: { readonly ok: boolean; readonly detail: string }
}

/** @param signal who waits has gone */
export function answerStoreQuestion(
  store: MemoryStore,
  question: StoreQuestion,
  signal: AbortSignal,
): Promise<unknown> {
  switch (question.op) {
    case 'open':
      return store.open(question.record, question.scope)
    case 'read':
      return store.read(question.id)
    case 'accept':
      return store.accept(question.id)
    case 'finish':
      return store.finish(question.id, question.answer)
    case 'release':
      return store.release(question.id, question.scope, question.answer)
    case 'drop':
      return store.drop(question.id)
    case 'wait-for':
      return store.waitFor(question.id, question.untilMs, signal)
    case 'wait-for-acceptance':
      return store.waitForAcceptance(question.id, question.untilMs, signal)
    case 'beat':
      return store.beat(question.replica)
    case 'leave':
      return store.leave(question.replica)
    case 'health':
      return store.health()
  }
}
