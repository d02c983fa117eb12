/**
 * An offset inside a batch yields that batch, and how far it reaches stands in what can't be read. So the first offset that
 * yields another is looked for, in growing steps and then by halves. It is at most the end of the log: there is nothing to
 * misread.
 */
export async function firstReadable(
  unreadable: bigint,
  isReadable: (offset: bigint) => Promise<boolean>,
): Promise<bigint> {
  let bad = unreadable
  let good = bad + 1n
  for (let step = 2n; !(await isReadable(good)); step *= 2n) {
    bad = good
    good += step
  }
  while (good - bad > 1n) {
    const middle = bad + (good - bad) / 2n
    if (await isReadable(middle)) good = middle
    else bad = middle
  }
  return good
}
