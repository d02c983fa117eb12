import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { EntityChange } from '../../entity-registry/diff/entity-change.ts'
import { showChange } from '../../entity-registry/diff/entity-change.ts'
import { keepRetired } from '../../entity-registry/diff/keep-retired.ts'
import { diffEntities } from '../../entity-registry/diff/metadata-diff.ts'
import type { HealthCheck, Log } from '../../runtime-adapters/contract.ts'
import { type DescribedEntities, warnOfHints } from '../runtimes.ts'
import { fingerprint } from './fingerprint.ts'
import type { ReloadOptions } from './options.ts'

/** What came of reading the metadata again. Only `swapped` changes what is served. */
export type ReloadResult =
  | { readonly kind: 'swapped'; readonly changes: readonly EntityChange[] }
  | { readonly kind: 'unchanged' }
  /** It would break callers, and the operator has not said that it may. */
  | { readonly kind: 'blocked'; readonly changes: readonly EntityChange[] }
  /** It can't be read, checked or served. */
  | { readonly kind: 'failed'; readonly error: unknown }

export interface ReloadParts {
  readonly options: ReloadOptions
  readonly log: Log
  /** As they were at the start. */
  readonly first: DescribedEntities
  readonly describe: () => Promise<DescribedEntities>
  /** Makes a generation of them, and lets it serve. @throws where that can't be; then the old one serves on */
  readonly swap: (entities: readonly EntityDescriptor[]) => Promise<void>
}

/** One attempt after the other; the caller sees to that. */
export interface Reload {
  attempt(): Promise<ReloadResult>
  /** Nothing is read: only what has been served long enough goes. */
  expire(): Promise<ReloadResult>
  /** As they are served, with what was kept of old ones. */
  readonly served: readonly EntityDescriptor[]
  check(): HealthCheck
}

export function createReload({ options, log, first, describe, swap }: ReloadParts): Reload {
  let declared = first
  let served = first.entities
  let last: ReloadResult = { kind: 'unchanged' }

  async function take(next: DescribedEntities): Promise<ReloadResult> {
    const changes = diffEntities(declared.entities, next.entities)
    const { sunsetMs } = options
    const { hidden } = next
    const serving = keepRetired(served, next.entities, { nowMs: Date.now(), sunsetMs, hidden })
    if (fingerprint(serving) === fingerprint(served)) return { kind: 'unchanged' }
    const breaking = changes.filter((change) => change.breaks && !isKept(change, serving))
    if (breaking.length > 0 && options.breaking === 'block') return { kind: 'blocked', changes: breaking }
    if (options.breaking !== 'allow') warnOf(breaking, log)
    if (next !== declared) warnOfHints(next, log)
    await swap(serving)
    declared = next
    served = serving
    return { kind: 'swapped', changes }
  }

  return {
    async attempt() {
      last = await describe().then(take).catch(failed)
      report(last, log)
      return last
    },
    async expire() {
      const result = await take(declared).catch(failed)
      report(result, log)
      return result
    },
    get served() {
      return served
    },
    check: () => ({ name: 'metadata', essential: false, ...stateOf(last) }),
  }
}

function failed(error: unknown): ReloadResult {
  return { kind: 'failed', error }
}

/** What is gone and goes on being served breaks nobody yet. */
function isKept({ kind, entity: name, member }: EntityChange, serving: readonly EntityDescriptor[]): boolean {
  if (kind !== 'gone') return false
  const entity = serving.find((one) => one.name === name)
  if (member === undefined) return entity?.retirement !== undefined
  return (entity?.methods.get(member) ?? entity?.attributes.get(member))?.retirement !== undefined
}

function warnOf(breaking: readonly EntityChange[], log: Log): void {
  for (const change of breaking) log.warn({ change: showChange(change) }, 'the new metadata breaks callers')
}

function report(result: ReloadResult, log: Log): void {
  switch (result.kind) {
    case 'swapped':
      log.info({ changes: result.changes.map(showChange) }, 'the new metadata serves')
      return
    case 'unchanged':
      log.info({}, 'the metadata is as it was')
      return
    case 'blocked':
      for (const change of result.changes) {
        log.error({ change: showChange(change) }, 'the new metadata would break callers, so the old one serves on')
      }
      return
    case 'failed':
      log.error({ err: result.error }, 'what was read can’t be served, so what there was serves on')
  }
}

/** Shown in a list of checks: the first few are enough to know. */
const SHOWN_CHANGES = 5

function stateOf(last: ReloadResult): Pick<HealthCheck, 'ok' | 'detail'> {
  switch (last.kind) {
    case 'swapped':
    case 'unchanged':
      return { ok: true, detail: 'What was read last is served.' }
    case 'blocked': {
      const shown = last.changes.slice(0, SHOWN_CHANGES).map(showChange).join('; ')
      const more = last.changes.length - SHOWN_CHANGES
      return { ok: false, detail: `It would break callers: ${shown}${more > 0 ? `; and ${more} more` : ''}.` }
    }
    case 'failed':
      return { ok: false, detail: last.error instanceof Error ? last.error.message : String(last.error) }
  }
}
