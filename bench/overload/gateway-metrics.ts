/** Numbers of the gateway's own page, read once a second while something is going on. */
export interface MetricReader {
  /** The values of each wanted metric so far, summed over its labels. */
  readonly samples: readonly Readonly<Record<string, number>>[]
  stop(): void
}

const EVERY_MS = 1_000

export function readMetrics(port: number, names: readonly string[]): MetricReader {
  const samples: Readonly<Record<string, number>>[] = []
  const timer = setInterval(() => {
    fetch(`http://127.0.0.1:${port}/-/metrics`)
      .then((response) => response.text())
      .then((text) => samples.push(Object.fromEntries(names.map((name) => [name, numberOf(text, name)]))))
      .catch(() => undefined)
  }, EVERY_MS)
  return { samples, stop: () => clearInterval(timer) }
}

function numberOf(page: string, name: string): number {
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
