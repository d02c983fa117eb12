/** Writes down which calls the runtime surely has. */
export interface Acceptances {
  /** @param isTold a caller hears of it now, so that the record must say it too */
  note(id: string, isTold: boolean): void
  /** Answered: who asks for it gets the answer. */
  forget(id: string): void
  /** Writes at once what was to be written soon. */
  flush(): void
}

/** Milliseconds that the writing may wait. */
const SOON_MS = 50

/**
 * One exchange with the store for each call would be wasted: most are answered a few milliseconds after they were accepted, and
 * of those only the answer is written. A record that still says `queued` holds up nobody but who joins it with `respond-async`.
 */
export function createAcceptances(write: (id: string) => void): Acceptances {
  const soon = new Set<string>()
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    for (const id of soon) write(id)
    soon.clear()
  }

  return {
    note(id, isTold) {
      if (isTold) return write(id)
      soon.add(id)
      timer ??= setTimeout(flush, SOON_MS).unref()
    },
    forget: (id) => void soon.delete(id),
    flush,
  }
}
