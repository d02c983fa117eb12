/**
 * What StateFun's ingress makes of a request record: it goes to the function under its topic, with the record's key as the
 * function's id and the record's value, unchanged, as a message of the value type (`module.yaml`: `topics[].targets[]`, `valueType`).
 */
export interface IngressRoute {
  /** `namespace/type`, e.g. `shop/user`. */
  readonly functionType: string
  /** Name of the message's type, e.g. `shop/request`. */
  readonly valueType: string
}

/** By topic. */
export type Ingress = ReadonlyMap<string, IngressRoute>

/** A remote function's place: the first that fits a function's type is taken. */
export interface Endpoint {
  /** `namespace/type`, or `namespace/*` for every function of a namespace, or `*`. */
  readonly functions: string
  /** `http://host:port/path`; `{function.name}` in it stands for the type's part behind the slash. */
  readonly urlPathTemplate: string
  /** Messages that may go in one request. */
  readonly maxNumBatchRequests?: number
  /** Milliseconds for one request with all its repetitions. */
  readonly callTimeoutMs?: number
  readonly connectTimeoutMs?: number
}

/** `namespace/type`; only the last slash counts. */
export const TYPE_NAME = '^[^\\s]*[^\\s/]/[^\\s/]+$'
/** What `Endpoint.functions` may be. */
export const TYPE_PATTERN = '^(\\*|[^\\s]*[^\\s/]/(\\*|[^\\s/*]+))$'

export function hasFunction({ functions }: Endpoint, functionType: string): boolean {
  const namespace = functionType.slice(0, functionType.lastIndexOf('/'))
  return ['*', functionType, `${namespace}/*`].includes(functions)
}

/** For people: who is named in it, and what is asked there, may be credentials. */
export function showEndpoint(address: string): string {
  return address.replace(/(?<=:\/\/)[^/?#]*@/, '').replace(/[?#].*$/, '')
}
