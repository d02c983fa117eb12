import { startGuardedShop } from './guarded-shop.ts'
import { fuzz, installSchemathesis, type RoundReport } from './schemathesis.ts'

export interface RoundsOptions {
  /** Rounds follow until there have been as many. */
  readonly cases: number
  readonly firstSeed: number
  readonly maxExamples: number
  /** Told of each round when it ends. */
  readonly onRound?: (seed: number, round: RoundReport) => void
}

export interface RoundsReport {
  readonly cases: number
  /** Of the document, not guessed by Schemathesis. */
  readonly links: { readonly different: number; readonly followed: number }
  readonly rounds: readonly RoundReport[]
  /** Operations of the document. */
  readonly operations: number
}

const STATEFUL_EXAMPLES = 50

/** Rounds of Schemathesis against the shop, by turns with a token and with an API key, each with a seed of its own. */
export async function runRounds({ cases, firstSeed, maxExamples, onRound }: RoundsOptions): Promise<RoundsReport> {
  const program = await installSchemathesis()
  const shop = await startGuardedShop()
  try {
    const document = await shop.document()
    const rounds: RoundReport[] = []
    for (let sum = 0, seed = firstSeed; sum < cases || rounds.length < 4; seed++) {
      const credentials = rounds.length % 4 === 0 ? { bearer: shop.token } : { api_key: shop.apiKey }
      const common = { program, url: shop.url, document, credentials, seed }
      // Links lead on from what was accepted; a round of its own follows more of them.
      const made = [
        await fuzz({ ...common, maxExamples }),
        await fuzz({ ...common, maxExamples: STATEFUL_EXAMPLES, phases: 'stateful' }),
      ]
      rounds.push(...made)
      for (const round of made) onRound?.(seed, round)
      sum += casesOf(made)
      if (made.some(({ failed, cases: ofRound }) => failed > 0 || ofRound === 0)) break
    }
    return { cases: casesOf(rounds), links: linksOf(rounds), rounds, operations: operationsIn(document) }
  } finally {
    await shop.close()
  }
}

function casesOf(rounds: readonly RoundReport[]): number {
  return rounds.reduce((sum, { cases }) => sum + cases, 0)
}

function linksOf(rounds: readonly RoundReport[]): { readonly different: number; readonly followed: number } {
  const counts = rounds.flatMap(({ links }) => [...links])
  return {
    different: new Set(counts.map(([link]) => link)).size,
    followed: counts.reduce((sum, [, count]) => sum + count, 0),
  }
}

function operationsIn({ paths }: { readonly paths: Readonly<Record<string, object>> }): number {
  return Object.values(paths).reduce((sum, path) => sum + Object.keys(path).length, 0)
}
