import { parse } from 'protobufjs'

/**
 * The messages of StateFun 3.x that go over a wire, each with its two directions. Field numbers as in StateFun's
 * `request-reply.proto`, `kafka-egress.proto` and `types.proto`.
 */

const { root } = parse(
  `
syntax = "proto3";
message Address { string namespace = 1; string type = 2; string id = 3; }
message TypedValue { string typename = 1; bool has_value = 2; bytes value = 3; }

message StateValue { string state_name = 1; TypedValue state_value = 2; }
message IncomingMessage { Address caller = 1; TypedValue argument = 2; }
message Batch { Address target = 1; repeated StateValue state = 2; repeated IncomingMessage invocations = 3; }
message ToFunction { oneof request { Batch invocation = 100; } }

message StateMutation { enum Kind { DELETE = 0; MODIFY = 1; } Kind mutation_type = 1; string state_name = 2; TypedValue state_value = 3; }
message OutgoingMessage { Address target = 1; TypedValue argument = 2; }
message DelayedMessage {
  int64 delay_in_ms = 1; Address target = 2; TypedValue argument = 3; bool is_cancellation_request = 10; string cancellation_token = 11;
}
message EgressMessage { string egress_namespace = 1; string egress_type = 2; TypedValue argument = 3; }
message Effects {
  repeated StateMutation state_mutations = 1; repeated OutgoingMessage outgoing_messages = 2;
  repeated DelayedMessage delayed_invocations = 3; repeated EgressMessage outgoing_egresses = 4;
}
message Expiration { enum Mode { NONE = 0; AFTER_WRITE = 1; AFTER_INVOKE = 2; } Mode mode = 1; int64 expire_after_millis = 2; }
message StateSpec { string state_name = 1; Expiration expiration_spec = 2; string type_typename = 3; }
message MissingState { repeated StateSpec missing_values = 1; }
message FromFunction { oneof response { Effects invocation_result = 100; MissingState incomplete_invocation_context = 101; } }

message KafkaProducerRecord { string key = 1; bytes value_bytes = 2; string topic = 3; }

message BooleanWrapper { bool value = 1; }
message IntWrapper { sfixed32 value = 1; }
message LongWrapper { sfixed64 value = 1; }
message FloatWrapper { float value = 1; }
message DoubleWrapper { double value = 1; }
message StringWrapper { string value = 1; }
`,
  { keepCase: false },
)

/** One message type, both ways. Fields are camel case; what is absent is `null`, an empty list, or the type's zero. */
export interface Codec<T> {
  encode(message: T): Buffer
  /** @throws Error when the bytes are not such a message */
  decode(bytes: Uint8Array): T
}

/** `namespace/type` and an id: where a message goes. */
export interface Address {
  readonly namespace: string
  readonly type: string
  readonly id: string
}

/** A value and the name of its type, e.g. `io.statefun.types/string`. Without a value: there is none. */
export interface TypedValue {
  readonly typename: string
  readonly hasValue: boolean
  readonly value: Uint8Array
}

export interface IncomingMessage {
  /** Who sent it; `null` when it came from an ingress. */
  readonly caller: Address | null
  readonly argument: TypedValue
}

export interface StateValue {
  readonly stateName: string
  /** `null`: declared, and empty. */
  readonly stateValue: TypedValue | null
}

export interface Batch {
  readonly target: Address
  readonly state: readonly StateValue[]
  readonly invocations: readonly IncomingMessage[]
}

export interface ToFunction {
  readonly invocation: Batch
}

export interface StateMutation {
  /** 0: delete, 1: modify. */
  readonly mutationType: number
  readonly stateName: string
  readonly stateValue: TypedValue | null
}

export interface OutgoingMessage {
  readonly target: Address | null
  readonly argument: TypedValue | null
}

export interface DelayedMessage extends OutgoingMessage {
  readonly delayInMs: { toNumber(): number } | number
  readonly isCancellationRequest: boolean
  readonly cancellationToken: string
}

export interface EgressMessage {
  readonly egressNamespace: string
  readonly egressType: string
  readonly argument: TypedValue | null
}

export interface Effects {
  readonly stateMutations: readonly StateMutation[]
  readonly outgoingMessages: readonly OutgoingMessage[]
  readonly delayedInvocations: readonly DelayedMessage[]
  readonly outgoingEgresses: readonly EgressMessage[]
}

export interface StateSpec {
  readonly stateName: string
  readonly typeTypename: string
  readonly expirationSpec: {
    /** 0: never, 1: after a write, 2: after a write or a read. */
    readonly mode: number
    readonly expireAfterMillis: { toNumber(): number } | number
  } | null
}

/** Neither of the two: the function did nothing. */
export interface FromFunction {
  readonly invocationResult: Effects | null
  readonly incompleteInvocationContext: { readonly missingValues: readonly StateSpec[] } | null
}

export interface KafkaProducerRecord {
  readonly key: string
  readonly valueBytes: Uint8Array
  readonly topic: string
}

export const toFunction = codec<ToFunction>('ToFunction')
export const fromFunction = codec<FromFunction>('FromFunction')
export const kafkaProducerRecord = codec<KafkaProducerRecord>('KafkaProducerRecord')

/** The values of `io.statefun.types/*`, by the part of the type's name behind the slash. A long is read as `{ toString() }`. */
export const wrappers = {
  bool: codec<{ readonly value: boolean }>('BooleanWrapper'),
  int: codec<{ readonly value: number }>('IntWrapper'),
  long: codec<{ readonly value: unknown }>('LongWrapper'),
  float: codec<{ readonly value: number }>('FloatWrapper'),
  double: codec<{ readonly value: number }>('DoubleWrapper'),
  string: codec<{ readonly value: string }>('StringWrapper'),
} as const

function codec<T extends object>(name: string): Codec<T> {
  const type = root.lookupType(name)
  return {
    encode: (message) => asBuffer(type.encode(message).finish()),
    // The shape follows from the message's definition above; the library's types don't know it.
    decode: (bytes) => type.decode(bytes) as unknown as T,
  }
}

/** What the writer has made is its own, and in Node a buffer already. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
