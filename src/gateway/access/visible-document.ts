import { stringify } from 'yaml'
import { stringifyExact } from '../../entity-registry/exact-json.ts'
import { etagOf } from '../../routes/etag.ts'
import { withUsedExamples } from '../plugins/used-examples.ts'
import type { Caller } from './caller.ts'
import type { SecurityRequirement } from './document-security.ts'

/** A document as text, with what changes when it does. */
export interface WrittenDocument {
  readonly document: object
  readonly json: { readonly text: string; readonly etag: string }
  readonly yaml: { readonly text: string; readonly etag: string }
}

interface Operation {
  readonly operationId?: string
  readonly responses?: Readonly<Record<string, Response>>
  readonly security?: readonly SecurityRequirement[]
  readonly tags?: readonly string[]
}

interface Response {
  readonly links?: Readonly<Record<string, { readonly operationId?: string }>>
}

/** The part of an OpenAPI document that is looked at here. */
interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>> | undefined>>
  readonly tags?: readonly { readonly name: string }[]
}

const MAX_DOCUMENTS = 32

/** What a caller may call, written once for all callers who may call the same. */
export function createVisibleDocuments(whole: () => object): (caller: Caller) => WrittenDocument {
  const written = new Map<string, WrittenDocument>()
  let mentioned: readonly string[] | undefined
  return (caller) => {
    // An OpenAPI document has this form.
    const document = whole() as Document
    mentioned ??= scopesIn(document)
    const key = caller.kind === 'nobody' ? '' : ` ${mentioned.filter((scope) => caller.scopes.has(scope)).join(' ')}`
    const known = written.get(key) ?? write(visibleTo(document, caller))
    const [oldest] = written.keys()
    if (!written.delete(key) && written.size >= MAX_DOCUMENTS && oldest !== undefined) written.delete(oldest)
    written.set(key, known)
    return known
  }
}

function scopesIn({ paths = {} }: Document): readonly string[] {
  const operations = Object.values(paths).flatMap((path) => Object.values(path ?? {}))
  const scopes = operations.flatMap(({ security = [] }) => security.flatMap((way) => Object.values(way).flat()))
  return [...new Set(scopes)].sort()
}

function visibleTo(document: Document, caller: Caller): Document {
  const paths = Object.entries(document.paths ?? {}).flatMap(([url, path]) => {
    const operations = Object.entries(path ?? {}).filter(([, { security }]) => isLetIn(caller, security))
    return operations.length === 0 ? [] : [[url, Object.fromEntries(operations)] as const]
  })
  const operations = paths.flatMap(([, path]) => Object.values(path))
  const used = new Set(operations.flatMap(({ tags = [] }) => tags))
  const ids = new Set(operations.flatMap(({ operationId }) => operationId ?? []))
  return withUsedExamples({
    ...document,
    paths: Object.fromEntries(paths.map(([url, path]) => [url, mapValues(path, (each) => withLinksTo(ids, each))])),
    tags: (document.tags ?? []).filter(({ name }) => used.has(name)),
  })
}

/** A link would name what its reader may not see. */
function withLinksTo(ids: ReadonlySet<string>, operation: Operation): Operation {
  const { responses } = operation
  if (responses === undefined) return operation
  const isShown = ([, { operationId }]: readonly [string, { readonly operationId?: string }]) =>
    operationId === undefined || ids.has(operationId)
  const shown = mapValues(responses, (response) => {
    if (response.links === undefined) return response
    const { links, ...rest } = response
    const kept = Object.entries(links).filter(isShown)
    return kept.length === 0 ? rest : { ...rest, links: Object.fromEntries(kept) }
  })
  return { ...operation, responses: shown }
}

function mapValues<A, B>(of: Readonly<Record<string, A>>, change: (value: A) => B): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value)]))
}

function isLetIn(caller: Caller, ways: readonly SecurityRequirement[] | undefined): boolean {
  if (ways === undefined || ways.length === 0) return true
  return ways.some((way) => {
    const scopes = Object.values(way)
    return scopes.length === 0 || (caller.kind !== 'nobody' && scopes.flat().every((scope) => caller.scopes.has(scope)))
  })
}

function write(document: Document): WrittenDocument {
  // Through JSON, so that both forms say the same.
  const json = stringifyExact(document)
  return { document, json: tagged(json), yaml: tagged(stringify(document, { aliasDuplicateObjects: false })) }
}

export function tagged(text: string): { readonly text: string; readonly etag: string } {
  return { text, etag: etagOf(text) }
}
