import type { MemoryStore } from '../invocations/memory-store.ts'

/** What workers ask of the store that lives in the primary process: its methods, by their names. */
export type StoreOp = Exclude<keyof MemoryStore, 'name' | 'isShared' | 'start' | 'close'>

export type StoreQuestion = {
  readonly [Op in StoreOp]: { readonly op: Op; readonly args: Parameters<MemoryStore[Op]> }
}[StoreOp]

/** @param signal who waits has gone: the last argument of methods that wait, and of no use to the others */
export function answerStoreQuestion(
  store: MemoryStore,
  { op, args }: StoreQuestion,
  signal: AbortSignal,
): Promise<unknown> {
  // Name and arguments are of one method, which the compiler can't follow.
  const ask = store[op] as (...args: readonly unknown[]) => Promise<unknown>
  return ask(...args, signal)
}
