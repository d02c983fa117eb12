import type { Capabilities, Invocation, NotSent, Outcome } from '../contract.ts'
import type { KafkaRecord, ReceivedRecord } from './transport.ts'

/** It carries the id of a call, and is no reply to it. */
export interface Foreign {
  readonly kind: 'foreign'
}

/**
 * How one runtime writes requests and replies. Pure and synchronous: no I/O, no clock, no randomness, so that golden
 * bytes pin it. Everything it needs (entity names, flows) is in the invocation's descriptors.
 */
export interface KafkaDialect {
  readonly name: string
  readonly capabilities: Capabilities
  readonly topics: {
    /** Every topic that `encode` may name. */
    readonly requests: readonly string[]
    readonly replies: readonly string[]
  }
  /**
   * The record that asks for this invocation, or why this runtime can't be asked: sending it would do harm. Its key and value
   * are never empty. Calls on one entity carry the same record key, so they keep their order.
   */
  encode(invocation: Invocation): KafkaRecord | NotSent
  /** The invocation's id, found without parsing the value; `undefined` for a record that is nobody's reply. `decode` has the last word. */
  correlationOf(record: ReceivedRecord): string | undefined
  /** Every reply's record key is the id of its invocation, so that the id decides on the partition. Default: false. */
  readonly repliesKeyedById?: boolean
  /** Where in replies `correlationOf` looks, in words, as far as that depends on the entities. */
  readonly correlationPlaces?: readonly string[]
  /** Total: bytes that can't be read become `malformed`, never an exception. */
  decode(record: ReceivedRecord, invocation: Invocation): Outcome | Foreign
  /** A question that the runtime answers without touching an entity; the reply carries `id`. `undefined`: it has none. */
  readonly ping: ((id: string) => KafkaRecord) | undefined
  /** Which of our settings, where they are not the runtime's, make it silent; a sentence. */
  readonly silenceHint?: string
  /** Whether a reply is the answer to `ping`. */
  isPong(record: ReceivedRecord): boolean
}
