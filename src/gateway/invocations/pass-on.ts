import type { InvocationStore } from '../../routes/invocation-store.ts'

/** All that a store does, for those who change a part of it: what a class has on its prototype, a spread would lose. */
export function passOn(store: InvocationStore): InvocationStore {
  return {
    name: store.name,
    isShared: store.isShared,
    start: () => store.start(),
    open: (record, scope) => store.open(record, scope),
    read: (id) => store.read(id),
    accept: (id) => store.accept(id),
    finish: (id, answer) => store.finish(id, answer),
    release: (id, scope, answer) => store.release(id, scope, answer),
    waitFor: (id, untilMs, signal) => store.waitFor(id, untilMs, signal),
    waitForAcceptance: (id, untilMs, signal) => store.waitForAcceptance(id, untilMs, signal),
    beat: (replica) => store.beat(replica),
    leave: (replica) => store.leave(replica),
    health: () => store.health(),
    close: () => store.close(),
  }
}
