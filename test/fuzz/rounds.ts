import { startGuardedShop } from './guarded-shop.ts'
import { fuzz, installSchemathesis, type RoundReport } from './schemathesis.ts'

export interface RoundsOptions {
  /** Rounds follow until there have been as many. */
  readonly cases: number
  readonly firstSeed: number
  readonly maxExamples: number
}

export interface RoundsReport {
  readonly cases: number
  readonly rounds: readonly RoundReport[]
  /** Operations of the document. */
  readonly operations: number
}

/** Rounds of Schemathesis against the shop, by turns with a token and with an API key, each with a seed of its own. */
export async function runRounds({ cases, firstSeed, maxExamples }: RoundsOptions): Promise<RoundsReport> {
  const program = await installSchemathesis()
  const shop = await startGuardedShop()
  try {
    const document = await shop.document()
    const rounds: RoundReport[] = []
    for (let sum = 0, seed = firstSeed; sum < cases || rounds.length < 2; seed++) {
      const credentials = rounds.length % 2 === 0 ? { bearer: shop.token } : { api_key: shop.apiKey }
      const round = await fuzz({ program, url: shop.url, document, credentials, seed, maxExamples })
      rounds.push(round)
      sum += round.cases
      if (round.failed > 0 || round.cases === 0) break
    }
    return { cases: rounds.reduce((sum, round) => sum + round.cases, 0), rounds, operations: operationsIn(document) }
  } finally {
    await shop.close()
  }
}

function operationsIn({ paths }: { readonly paths: Readonly<Record<string, object>> }): number {
  return Object.values(paths).reduce((sum, path) => sum + Object.keys(path).length, 0)
}
