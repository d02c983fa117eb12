import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Batch,
  type DelayedMessage,
  type Effects,
  fromFunction,
  type OutgoingMessage,
  toFunction,
} from '../../src/runtime-adapters/statefun/protobuf.ts'

/** Accounts as a remote function: money that goes from one to the other in a message, and delayed messages beside it. */

export const accountIds = ['a', 'b', 'c', 'd', 'e', 'f'] as const
export const START_BALANCE = 1_000

export type BankMessage =
  | { readonly kind: 'pay'; readonly amount: number; readonly to: string }
  | { readonly kind: 'credit'; readonly amount: number }
  /** What a payment sends itself, a little later. */
  | { readonly kind: 'tick' }
  /** What each payment cancels of the one before: it never comes. */
  | { readonly kind: 'never' }

export interface Account {
  readonly balance: number
  readonly sent: number
  readonly received: number
  readonly ticked: number
}

const NEW: Account = { balance: START_BALANCE, sent: 0, received: 0, ticked: 0 }
const NEVER_MS = 600_000

export function packed(message: BankMessage) {
  return { typename: 'bank/message', hasValue: true, value: Buffer.from(JSON.stringify(message)) }
}

export function unpacked(value: Uint8Array): BankMessage {
  // Only `packed` writes these.
  return JSON.parse(Buffer.from(value).toString()) as BankMessage
}

export function accountOf(value: Uint8Array): Account {
  // Only `runBatch` writes these.
  return JSON.parse(Buffer.from(value).toString()) as Account
}

export async function startBank(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const answer = answerTo(toFunction.decode(Buffer.concat(chunks)).invocation)
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(answer)
  })
  server.on('clientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answerTo(batch: Batch): Buffer {
  const state = batch.state.find(({ stateName }) => stateName === 'account')
  if (state !== undefined) {
    const account = state.stateValue === null ? NEW : accountOf(state.stateValue.value)
    return fromFunction.encode({ invocationResult: runBatch(batch, account), incompleteInvocationContext: null })
  }
  const spec = { stateName: 'account', typeTypename: 'bank/account', expirationSpec: null }
  return fromFunction.encode({ invocationResult: null, incompleteInvocationContext: { missingValues: [spec] } })
}

function runBatch({ target, invocations }: Batch, before: Account): Effects {
  let account = before
  const outgoingMessages: OutgoingMessage[] = []
  const delayedInvocations: DelayedMessage[] = []
  const later = (message: BankMessage, delayInMs: number, cancellationToken: string) =>
    delayedInvocations.push({
      ...{ target, argument: packed(message), delayInMs, cancellationToken },
      isCancellationRequest: false,
    })
  for (const { argument } of invocations) {
    const message = unpacked(argument.value)
    if (message.kind === 'credit') {
      account = { ...account, balance: account.balance + message.amount, received: account.received + 1 }
    } else if (message.kind === 'tick') account = { ...account, ticked: account.ticked + 1 }
    else if (message.kind === 'pay') {
      const sent = account.sent + 1
      account = { ...account, balance: account.balance - message.amount, sent }
      outgoingMessages.push({
        target: { ...target, id: message.to },
        argument: packed({ kind: 'credit', amount: message.amount }),
      })
      later({ kind: 'tick' }, message.amount * 10, '')
      delayedInvocations.push({
        ...{ target: null, argument: null, delayInMs: 0, cancellationToken: `never-${account.sent - 1}` },
        isCancellationRequest: true,
      })
      later({ kind: 'never' }, NEVER_MS, `never-${account.sent}`)
    } else throw new Error('what was cancelled has come')
  }
  const stateValue = { typename: 'bank/account', hasValue: true, value: Buffer.from(JSON.stringify(account)) }
  return {
    stateMutations: [{ mutationType: 1, stateName: 'account', stateValue }],
    outgoingMessages,
    delayedInvocations,
    outgoingEgresses: [],
  }
}
