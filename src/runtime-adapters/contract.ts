import type { AttributeDescriptor, EntityDescriptor, MethodDescriptor } from '../entity-registry/descriptor.ts'

/**
 * The one file to read first: what a call is, what can come of it, and what a runtime's adapter must do.
 */

/** An entity's key: a string, or an exact integer (`bigint` beyond 2^53). `42` and `"42"` are two entities. */
export type Key = string | number | bigint

/** What is asked of an entity. Only `create` is without a key. */
export type Target =
  | { readonly kind: 'create'; readonly entity: EntityDescriptor }
  | { readonly kind: 'find'; readonly entity: EntityDescriptor; readonly key: Key }
  | { readonly kind: 'read-state'; readonly entity: EntityDescriptor; readonly key: Key }
  | {
      readonly kind: 'read-attribute'
      readonly entity: EntityDescriptor
      readonly key: Key
      readonly attribute: AttributeDescriptor
    }
  | {
      readonly kind: 'write-attribute'
      readonly entity: EntityDescriptor
      readonly key: Key
      readonly attribute: AttributeDescriptor
      readonly value: unknown
    }
  | { readonly kind: 'call'; readonly entity: EntityDescriptor; readonly key: Key; readonly method: MethodDescriptor }

/**
 * One call. Built once at the edge, never mutated; its arguments have been checked against the descriptors,
 * so an adapter may send them as they are. Integers beyond 2^53 are `bigint`.
 */
export interface Invocation {
  /** A random UUID in lower case. Nobody can guess it. */
  readonly id: string
  readonly target: Target
  /** Arguments of a `create` or `call` by parameter name; empty otherwise. */
  readonly args: Readonly<Record<string, unknown>>
  /** Epoch milliseconds. Absolute, so that every hop agrees on it. */
  readonly deadline: number
  readonly context: InvocationContext
  /** How its caller takes a busy runtime. Default: he waits for the answer, and would rather be refused than wait for long. */
  readonly patience?: Patience | undefined
  /** Called at most once, as soon as the runtime surely has the call: over Kafka, when the brokers have acknowledged it. */
  readonly onAccepted?: () => void
}

/** `queues`: he would rather wait for room than be refused. `detached`: he does not wait; the call is to lie in the runtime's queue. */
export type Patience = 'queues' | 'detached'

export interface InvocationContext {
  /** Who calls; `undefined` where nobody was authenticated. */
  readonly principal?: string
  /** W3C trace context that the call belongs to: the caller's, or that of a span inside the gateway. Well-formed. */
  readonly traceparent?: string
  /** Only with `traceparent`. */
  readonly tracestate?: string
}

/** Why a call surely had no effect: it never reached the runtime. */
export type NotSentCause =
  | 'unsupported'
  | 'overloaded'
  | 'too-large'
  | 'broker-unavailable'
  | 'runtime-unavailable'
  | 'shutting-down'

/** Why nobody can say whether a call took effect. */
export type UnknownCause = 'deadline' | 'connection-lost' | 'shutting-down'

/** Surely no effect. */
export interface NotSent {
  readonly kind: 'not-sent'
  readonly cause: NotSentCause
  readonly detail: string
}

/** What the runtime said, or why it said nothing. Expected failures are values; an exception is a bug or a failed start. */
export type Outcome =
  /** Done. `value` is plain JSON data, `bigint` for integers beyond 2^53, `null` where nothing is returned. */
  | { readonly kind: 'returned'; readonly value: unknown }
  /** Created; the key as the runtime knows it. */
  | { readonly kind: 'created'; readonly key: Key }
  /**
   * The runtime refused. `effect` tells whether something may have been done before it refused:
   * a split method can stop half way in a runtime without transactions.
   */
  | {
      readonly kind: 'rejected'
      readonly reason: 'entity-not-found' | 'entity-exists'
      readonly detail: string
      readonly effect: 'none' | 'partial'
    }
  /** The method ran and failed. `name` is the error's class where the runtime tells it; `data` what was declared for it. */
  | { readonly kind: 'raised'; readonly name?: string; readonly message: string; readonly data?: unknown }
  /** An answer came that can't be read, or that is not what the method may return. The effect is not known. */
  | { readonly kind: 'malformed'; readonly detail: string }
  | NotSent
  /**
   * Perhaps an effect. A passed deadline does not say that the call did not run. `isFinal`: the runtime will never say more; by
   * default its reply may still come.
   */
  | { readonly kind: 'unknown'; readonly cause: UnknownCause; readonly detail: string; readonly isFinal?: boolean }

/**
 * The one seam. Resolves exactly once, at the latest at the invocation's deadline; never rejects but for a bug.
 * Deadlines, idempotency and tracing are functions from `Invoke` to `Invoke`.
 */
export type Invoke = (invocation: Invocation) => Promise<Outcome>

/** What a runtime can do. A route that it can't serve is not made. */
export interface Capabilities {
  readonly create: boolean
  readonly find: boolean
  /** The whole readable state in one consistent answer. */
  readonly readState: boolean
  readonly readAttribute: boolean
  readonly writeAttribute: boolean
  /** A method that the metadata calls read-only can't change anything: the runtime would refuse. */
  readonly enforcesReadOnly: boolean
  /** A call that touches several entities happens whole or not at all. */
  readonly atomic: boolean
  /** How often a call that was sent once takes effect, as far as the runtime promises. */
  readonly delivery: 'at-most-once' | 'at-least-once' | 'exactly-once'
}

export interface HealthCheck {
  readonly name: string
  readonly ok: boolean
  /** false: most calls work without it, so the gateway stays ready. Default: true. */
  readonly essential?: boolean
  /** One sentence for an operator; never a secret. */
  readonly detail: string
}

/**
 * One runtime, spoken to. Laws, held by `test/conformance/runtime-adapter.ts`:
 * `start` resolves only when replies can be received; `invoke` keeps the law of `Invoke`; `health` answers within two seconds and
 * never throws; `close` may be called twice, and leaves no invocation without an outcome, no timer and no socket behind.
 */
export interface RuntimeAdapter {
  /** The adapter's kind, e.g. `stateflow`. */
  readonly name: string
  readonly capabilities: Capabilities
  start(): Promise<void>
  readonly invoke: Invoke
  /**
   * Makes a running adapter ready for other descriptors, whose calls it takes from now on beside those of the old ones: these go on
   * being served, read late and read out of records for as long as anybody holds them.
   * @returns `undefined`: they are beyond this adapter, and one made for them can stand beside it
   * @throws Error in the operator's words, where the runtime can't serve them without a restart
   */
  prepare?(entities: readonly EntityDescriptor[]): PreparedEntities | undefined
  /** Whether a call may have this id: where it comes out of a choice, it decides who reads the reply. Default: any may. */
  suits?(id: string): boolean
  health(): Promise<readonly HealthCheck[]>
  /** Numbers that grow while the adapter runs, by name: replies dropped as late, foreign, duplicate or unreadable, and the like. */
  counters(): Readonly<Record<string, number>>
  /** Calls whose answers may still come, late ones included. Asked of one that takes no more; default: none. */
  unanswered?(): number
  close(): Promise<void>
}

export interface PreparedEntities {
  /** For these entities; they may differ from the adapter's own. */
  readonly capabilities: Capabilities
  /** What is not about one call (health checks, records of nobody) follows these entities from now on. Can't fail. */
  commit(): void
}

/** What an adapter is made from: the entities it serves, and a place for its log lines. */
export interface AdapterContext {
  /** The configured instance's name. */
  readonly instance: string
  readonly entities: readonly EntityDescriptor[]
  readonly log: Log
  /** `undefined`: nobody wants them. */
  readonly strays?: StrayReplies
  /** `undefined`: nobody looks on. */
  readonly watch?: RecordWatch
  /** `undefined`: it was not said. */
  readonly share?: ReplicaShare
}

/** Which of the gateway's replicas this is: `index` of 0 to `count` - 1. */
export interface ReplicaShare {
  readonly index: number
  readonly count: number
}

/** Where replies go that nobody in this process waits for. Neither function may throw or wait. */
export interface StrayReplies {
  /** The reply to a call of this process whose deadline has passed, or that it was never sent; at most once a call. */
  late(invocation: Invocation, outcome: Outcome): void
  /**
   * Somebody else's. Called for each, so it must be cheap.
   * @param read makes sense of the reply for the invocation it belongs to; `undefined`: it belongs to none, and only has the id in it
   * @param bytes that are held in memory for as long as `read` is
   */
  foreign(id: string, read: (invocation: Invocation) => Outcome | undefined, bytes: number): void
  /**
   * The shares of other replicas that are surely alive and read their own replies. `undefined`: nobody here takes care of the
   * replies of others, alive or not.
   */
  holders?(): readonly ReplicaShare[] | undefined
}

/**
 * Looks on while records go between an adapter and its brokers. Called for each of them, so every function must be cheap, and may
 * neither throw nor wait.
 */
export interface RecordWatch {
  /** A request is about to go to `topic`. `undefined`: nobody follows this one. */
  sending(invocation: Invocation, topic: string): FollowedSend | undefined
  sent(topic: string, result: Sent, durationMs: number): void
  /** A record of a reply topic was read, whoever it is for. */
  read(topic: string): void
  /** It is about to be decoded for its invocation. What is returned is told what it said. */
  decoding(place: RecordPlace, invocation: Invocation): ((outcome: Outcome) => void) | undefined
}

/** What became of a record that was to be sent. */
export type Sent =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'not-sent' | 'unknown'; readonly detail: string }

export interface FollowedSend {
  /** What the record and its reply belong to, in place of the invocation's own. */
  readonly context: InvocationContext
  end(result: Sent): void
}

export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/** The part of a pino logger that adapters use. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
