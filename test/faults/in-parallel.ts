/** Works through a list, so many at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const workers = Array.from({ length: atOnce }, async () => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value)
  })
  await Promise.all(workers)
}
