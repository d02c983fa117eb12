/** One at a time; who asks while one runs is answered by the next, which begins when it has ended. */
export function createQueue<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  let next: Promise<T> | undefined

  function begin(): Promise<T> {
    next = undefined
    const begun = work()
    running = begun
    const clear = () => {
      running = undefined
    }
    begun.then(clear, clear)
    return begun
  }

  return () => {
    if (next !== undefined) return next
    if (running === undefined) return begin()
    next = running.then(begin, begin)
    return next
  }
}
