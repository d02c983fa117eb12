import { setTimeout as delay } from 'node:timers/promises'
import type { ReceivedRecord } from '../../src/runtime-adapters/kafka/transport.ts'
import { kafkaClients, testConnection } from './kafka-clients.ts'

/** One entity with one method, which adds up and returns the sum. */
export const addingMetadata = {
  formatVersion: 1,
  application: 'adding',
  runtime: { name: 'stateflow', namespace: 'global' },
  entities: [
    {
      name: 'Account',
      key: { name: 'name', schema: { type: 'string' } },
      state: { name: { type: 'string' }, sum: { type: 'integer' } },
      create: { params: [{ name: 'name', schema: { type: 'string' } }] },
      methods: [
        {
          name: 'add',
          params: [{ name: 'amount', schema: { type: 'integer' } }],
          returns: { type: 'integer' },
          readOnly: false,
          runtime: { request: 'InvokeStateful' },
        },
      ],
    },
  ],
} as const

export interface AddingTopics {
  readonly requests: string
  readonly replies: string
}

/** A runtime that speaks StateFlow's JSON over Kafka and answers when it is told to. */
export interface AddingRuntime {
  /** Amounts, in the order in which they were added. */
  readonly added: readonly number[]
  /** Replies are kept back until `release`. */
  hold(): void
  /** Resolves when the brokers have all that was kept back. */
  release(): Promise<void>
  close(): Promise<void>
}

interface Request {
  readonly event_id: string
  readonly event_type: string
  readonly fun_address: { readonly key: string | null }
  readonly payload: { readonly args?: { readonly amount: number } }
}

/** Milliseconds between two attempts at writing a reply. */
const AGAIN_MS = 50

export async function startAddingRuntime(brokers: readonly string[], topics: AddingTopics): Promise<AddingRuntime> {
  const transport = kafkaClients.platformatic?.(testConnection(brokers, { clientId: 'adding-runtime' }))
  if (transport === undefined) throw new Error('there is no such client')
  const added: number[] = []
  let held: (() => Promise<void>)[] | undefined
  let sum = 0

  async function write(id: string, value: string): Promise<void> {
    // Keyed by the call's id, as StateFlow's StateFun functions do it.
    const record = { topic: topics.replies, key: Buffer.from(id), value: Buffer.from(value) }
    while ((await transport?.send(record))?.kind === 'not-sent') await delay(AGAIN_MS)
  }

  function onRecord({ value }: ReceivedRecord): void {
    // The gateway's own encoder wrote it.
    const { event_id, event_type, fun_address, payload } = JSON.parse(value.toString()) as Request
    const reply = (type: string, content: object) =>
      write(event_id, JSON.stringify({ event_id, event_type: type, fun_address, payload: content }))
    if (event_type === 'Ping') {
      void reply('Pong', {})
      return
    }
    const amount = payload.args?.amount ?? 0
    sum += amount
    added.push(amount)
    const answered = sum
    const send = () => reply('SuccessfulInvocation', { return_results: answered })
    if (held === undefined) void send()
    else held.push(send)
  }

  await transport.start({ requestTopics: [topics.replies], replyTopics: [topics.requests], onRecord })
  return {
    added,
    hold() {
      held ??= []
    },
    async release() {
      const all = held ?? []
      held = undefined
      await Promise.all(all.map((send) => send()))
    },
    close: () => transport.close(),
  }
}
