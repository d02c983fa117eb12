import { type Endpoint, hasFunction, showEndpoint } from '../statefun/ingress.ts'
import { createFunctionEndpoint, type FunctionEndpoint } from './function-endpoint.ts'

/** A function type's place, and how it wants to be called. */
export interface FunctionPlace {
  readonly endpoint: FunctionEndpoint
  readonly maxBatch: number
  /** Milliseconds for one batch with all its repetitions. */
  readonly callTimeoutMs: number
}

export interface EndpointDirectory {
  /** `undefined`: no endpoint has such functions. */
  find(functionType: string): FunctionPlace | undefined
  /** From the next look on; connections to addresses that are still named are kept. @throws EndpointError, before anything changes */
  prepare(endpoints: readonly Endpoint[]): () => void
  /** Those that have been used so far, and those whose address does not depend on a function. */
  readonly endpoints: readonly FunctionEndpoint[]
  close(): void
}

export interface EndpointDefaults {
  readonly maxBatch: number
  readonly callTimeoutMs: number
  readonly maxConnections: number
}

const CONNECT_TIMEOUT_MS = 2_000
const NAME_HOLE = '{function.name}'
/** Function types that are remembered: what messages name is not ours to bound. */
const MAX_KNOWN_TYPES = 10_000
/** Addresses that are spoken to; with a name in them there could be as many as functions name. */
const MAX_ADDRESSES = 1_000

/** An endpoint's address can't be used. Its message is written for an operator. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError'
}

/** @throws EndpointError */
export function createEndpointDirectory(given: readonly Endpoint[], defaults: EndpointDefaults): EndpointDirectory {
  let all = given
  const byUrl = new Map<string, FunctionEndpoint>()
  /** Of addresses that were named before; some are named again. */
  const earlier = new Map<string, FunctionEndpoint>()
  const byType = new Map<string, FunctionPlace | undefined>()

  function open({ urlPathTemplate, connectTimeoutMs = CONNECT_TIMEOUT_MS }: Endpoint, name: string): FunctionEndpoint {
    const url = readUrl(urlPathTemplate, name)
    const known = byUrl.get(url.href)
    if (known !== undefined) return known
    if (byUrl.size >= MAX_ADDRESSES)
      throw new EndpointError(`There are ${MAX_ADDRESSES} addresses of functions already.`)
    const { maxConnections } = defaults
    const made = earlier.get(url.href) ?? createFunctionEndpoint({ url, connectTimeoutMs, maxConnections })
    earlier.delete(url.href)
    byUrl.set(url.href, made)
    return made
  }

  function look(functionType: string): FunctionPlace | undefined {
    const found = all.find((endpoint) => hasFunction(endpoint, functionType))
    if (found === undefined) return undefined
    const { maxNumBatchRequests: maxBatch = defaults.maxBatch, callTimeoutMs = defaults.callTimeoutMs } = found
    return { endpoint: open(found, functionType.slice(functionType.lastIndexOf('/') + 1)), maxBatch, callTimeoutMs }
  }

  /** A name that makes no address has no endpoint: messages name what they like. */
  function lookSafely(functionType: string): FunctionPlace | undefined {
    try {
      return look(functionType)
    } catch (error) {
      if (error instanceof EndpointError) return undefined
      throw error
    }
  }

  function openAll(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) if (!endpoint.urlPathTemplate.includes(NAME_HOLE)) open(endpoint, '')
  }

  for (const { urlPathTemplate } of all) readUrl(urlPathTemplate, 'name')
  openAll(all)

  return {
    find(functionType) {
      if (byType.has(functionType)) return byType.get(functionType)
      const place = lookSafely(functionType)
      if (byType.size < MAX_KNOWN_TYPES) byType.set(functionType, place)
      return place
    },
    prepare(endpoints) {
      for (const { urlPathTemplate } of endpoints) readUrl(urlPathTemplate, 'name')
      if (endpoints.length > MAX_ADDRESSES) throw new EndpointError(`There are more than ${MAX_ADDRESSES} endpoints.`)
      return () => {
        all = endpoints
        for (const [href, endpoint] of byUrl) earlier.set(href, endpoint)
        byUrl.clear()
        byType.clear()
        openAll(all)
      }
    },
    get endpoints() {
      return [...byUrl.values()]
    },
    close() {
      for (const endpoint of [...byUrl.values(), ...earlier.values()]) endpoint.close()
    },
  }
}

/** `shop/*=http://127.0.0.1:8080/statefun`, or an address alone for all functions. */
export function parseEndpoint(text: string): Endpoint {
  const [, functions = '*', urlPathTemplate = ''] = /^(?:([^=]+)=)?(https?:\/\/.*)$/.exec(text) ?? []
  if (urlPathTemplate === '')
    throw new EndpointError(`"${showEndpoint(text)}" is not an endpoint; one is shop/*=http://HOST:PORT/PATH.`)
  return { functions, urlPathTemplate }
}

function readUrl(template: string, name: string): URL {
  const text = template.replaceAll(NAME_HOLE, encodeURIComponent(name))
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new EndpointError(`The functions’ address ${showEndpoint(template)} is not an http or https URL.`)
  }
  return url
}
