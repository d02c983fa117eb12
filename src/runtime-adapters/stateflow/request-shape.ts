import type { JsonSchema, ParameterDescriptor } from '../../entity-registry/descriptor.ts'
import type { Key } from '../contract.ts'
import type { FlowTemplate } from './flow.ts'
import type { FunctionType } from './function-type.ts'

/**
 * A request without its call: everything that is the same for all calls of one method. Codecs turn a shape into a
 * function once; what is left for each call is to fill the holes.
 */
export interface RequestShape {
  readonly request: RequestName
  readonly type: FunctionType
  /** The type of the key that the event is addressed to. A create has none, and neither has a ping. */
  readonly keyType: 'string' | 'integer' | undefined
  readonly payload: PayloadShape
}

/** `_Request` in `stateflow/dataflow/event.py`, as far as the runtimes have a handler for it. */
export type RequestName =
  | 'Ping'
  | 'InitClass'
  | 'FindClass'
  | 'InvokeStateful'
  | 'EventFlow'
  | 'GetState'
  | 'UpdateState'

export type PayloadShape =
  | { readonly kind: 'empty' }
  | { readonly kind: 'arguments'; readonly params: readonly ParameterDescriptor[]; readonly method: string | undefined }
  | { readonly kind: 'attribute'; readonly attribute: string }
  | { readonly kind: 'attribute-value'; readonly attribute: string; readonly schema: JsonSchema }
  | { readonly kind: 'flow'; readonly flow: FlowTemplate }

/** What differs from call to call. */
export interface Call {
  readonly id: string
  /** `undefined` where the shape has no key type. */
  readonly key: Key | undefined
  readonly args: Readonly<Record<string, unknown>>
  /** The new value of an attribute. */
  readonly value: unknown
}

/** A place in a request that each call fills. */
export type Hole =
  | { readonly kind: 'id' }
  | { readonly kind: 'key' }
  | { readonly kind: 'argument'; readonly name: string; readonly schema: JsonSchema }
  /** The key of a referenced entity. */
  | { readonly kind: 'argument-key'; readonly name: string }
  /** A reference, or a list of references, as StateFlow’s `InternalClassRef`. */
  | { readonly kind: 'argument-ref'; readonly name: string; readonly type: FunctionType }
  | { readonly kind: 'argument-refs'; readonly name: string; readonly type: FunctionType }
  | { readonly kind: 'attribute-value'; readonly schema: JsonSchema }

/** How one serializer of StateFlow writes requests and reads replies. */
export interface EventCodec {
  /** The work that can be done before the first call. */
  compile(shape: RequestShape): (call: Call) => Buffer
  /** @throws UnreadableReply */
  read(value: Buffer): ReplyEvent
}

export interface ReplyEvent {
  readonly id: string
  /** The name of a `_Reply`, e.g. `KeyNotFound`; a request’s name where a runtime sent one back. */
  readonly type: string
  readonly key: unknown
  /** Plain JSON data; references to entities have become their keys. */
  readonly payload: Readonly<Record<string, unknown>>
}
