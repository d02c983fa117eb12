import { didYouMean, editDistance } from '../entity-registry/nearest-name.ts'
import type { Setting } from './setting-list.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Names of other programs are seldom so near to one of ours; the shorter, the likelier. */
const MAX_EDITS = { short: 1, long: 2 } as const
const LONG_CHARS = 12

/**
 * An environment holds other programs' variables too (`KAFKA_HEAP_OPTS`, Kubernetes' `KAFKA_PORT`), so only near misses are errors.
 * Where the prefix is a program's that others use as well, or is itself misspelt, they must be nearer.
 */
export function misspeltVariables(env: Environment, settings: readonly Setting[]): readonly string[] {
  const known = ['GATEWAY_CONFIG', ...settings.flatMap(({ env: name, fileEnv }) => [name ?? [], fileEnv ?? []].flat())]
  return Object.entries(env)
    .filter(([name, value]) => !known.includes(name) && !isOfKubernetes(name, value))
    .flatMap(([name]) => {
      const hint = hintFor(name, known)
      return hint === undefined ? [] : [`there is no setting ${name}. ${hint}`]
    })
}

function hintFor(name: string, known: readonly string[]): string | undefined {
  const plain = name.replace(/^GATEWAY_/, '')
  if (plain !== name && known.includes(plain)) return `Use ${plain}.`
  if (/^(GATEWAY|KAFKA|STATEFLOW|STATEFUN)_/.test(name) && !/_(PORT|HOST|ADDR|PROTO|HOME|DIR|OPTS)$/.test(name))
    return didYouMean(name, known)
  const maxEdits = name.length < LONG_CHARS ? MAX_EDITS.short : MAX_EDITS.long
  return didYouMean(
    name,
    known.filter((one) => one.includes('_') && isWithin(maxEdits, name, one)),
  )
}

function isWithin(maxEdits: number, name: string, known: string): boolean {
  return Math.abs(name.length - known.length) <= maxEdits && editDistance(name, known) <= maxEdits
}

/** What it sets for a service called `gateway` or `redis`: `REDIS_PORT=tcp://…`, `REDIS_SERVICE_HOST`, `REDIS_PORT_6379_TCP_ADDR`. */
function isOfKubernetes(name: string, value = ''): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name) ||
    (/_PORT$/.test(name) && /^[a-z]+:\/\//.test(value))
  )
}
