import { createHash } from 'node:crypto'
import { stringify } from 'yaml'
import { stringifyExact } from '../../entity-registry/exact-json.ts'
import type { Caller } from './caller.ts'
import type { SecurityRequirement } from './document-security.ts'

/** A document as text, with what changes when it does. */
export interface WrittenDocument {
  readonly document: object
  readonly json: { readonly text: string; readonly etag: string }
  readonly yaml: { readonly text: string; readonly etag: string }
}

interface Operation {
  readonly security?: readonly SecurityRequirement[]
  readonly tags?: readonly string[]
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
  const used = new Set(paths.flatMap(([, path]) => Object.values(path).flatMap(({ tags = [] }) => tags)))
  return {
    ...document,
    paths: Object.fromEntries(paths),
    tags: (document.tags ?? []).filter(({ name }) => used.has(name)),
  }
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
  return { text, etag: `"${createHash('sha1').update(text).digest('base64url')}"` }
}
