import type { Stop, UserMessage, UserRequest, UserState } from './messages.ts'
import { failed, returned, type Self, type Turn } from './turn.ts'

type UserTurn = Turn<UserState>

/** A customer with a purse: what the gateway asks. */
export function onUserRequest({ id, state }: Self<UserState>, call: UserRequest): UserTurn {
  if (call.method === 'create') {
    if (state !== null) return { effects: [failed(call, 'ALREADY_EXISTS', `There is a user ${id} already.`)] }
    return { state: { username: id, balance: 1, items: [] }, effects: [returned(call, null)] }
  }
  if (state === null) return { effects: [failed(call, 'KEY_NOT_FOUND', `There is no user ${id}.`)] }
  switch (call.method) {
    case 'get':
      return { effects: [returned(call, state)] }
    case 'get_balance':
      return { effects: [returned(call, state.balance)] }
    case 'update_balance':
      return { state: paid(state, call.args.x), effects: [returned(call, null)] }
    case 'buy_item':
      return buyItem(id, state, call)
    case 'simple_for_loop':
      return giveToAll(call)
    case 'state_requests':
      return tourItems(call)
  }
  // Only a record that did not come from the gateway can get here.
  return { effects: [failed(call, 'UNKNOWN_METHOD', 'Users have no such method.')] }
}

/** What other functions tell a user. */
export function onUserMessage({ id, state }: Self<UserState>, message: UserMessage): UserTurn {
  if (state === null) return { effects: [failed(message, 'KEY_NOT_FOUND', `There is no user ${id}.`)] }
  switch (message.kind) {
    case 'pay':
      return pay(state, message)
    case 'gift':
      return takeGift(state, message)
  }
}

/** The item knows the price, so it decides; `budget` is what can be spent as far as we know now. */
function buyItem(id: string, state: UserState, call: UserRequest & { readonly method: 'buy_item' }): UserTurn {
  const { correlation_id, args } = call
  const message = { kind: 'sell', correlation_id, user: id, amount: args.amount, budget: state.balance } as const
  return { effects: [{ kind: 'send-to-item', id: args.item, message }] }
}

/** The pieces are set aside for us. Another purchase may have been quicker with the money: then they go back. */
function pay(state: UserState, { item, amount, total, ...call }: UserMessage & { readonly kind: 'pay' }): UserTurn {
  if (state.balance >= total) return { state: paid(state, -total), effects: [returned(call, true)] }
  const message = { kind: 'put-back', correlation_id: call.correlation_id, amount } as const
  return { effects: [{ kind: 'send-to-item', id: item, message }, returned(call, false)] }
}

/** The first gets 4, each other one 9; the gift goes from hand to hand, and the last one answers. */
function giveToAll(call: UserRequest & { readonly method: 'simple_for_loop' }): UserTurn {
  const { users } = call.args
  const [first, ...others] = users
  if (first === undefined) return { effects: [returned(call, 0)] }
  const { correlation_id } = call
  const message = { kind: 'gift', correlation_id, x: 4, others, count: users.length } as const
  return { effects: [{ kind: 'send-to-user', id: first, message }] }
}

function takeGift(state: UserState, message: UserMessage & { readonly kind: 'gift' }): UserTurn {
  const { correlation_id, x, others, count } = message
  const [next, ...rest] = others
  if (next === undefined) return { state: paid(state, x), effects: [returned(message, count)] }
  const onward = { kind: 'gift', correlation_id, x: 9, others: rest, count } as const
  return { state: paid(state, x), effects: [{ kind: 'send-to-user', id: next, message: onward }] }
}

/** Reads and sets the stock of item after item; the last one answers with the sum of what was read. */
function tourItems(call: UserRequest & { readonly method: 'state_requests' }): UserTurn {
  const { items } = call.args
  const [first] = items
  if (first === undefined) return { effects: [failed(call, 'NoItems', 'At least one item is needed.')] }
  const stops: readonly Stop[] = [
    { item: first, steps: ['read', { set: 10 }, 'read', { set: 0 }] },
    ...items.map((item): Stop => ({ item, steps: ['read', { set: 5 }, 'read'] })),
    { item: first, steps: ['read', { set: 1, whenPositive: true }, 'read'] },
  ]
  const message = { kind: 'tour', correlation_id: call.correlation_id, stops, total: 0 } as const
  return { effects: [{ kind: 'send-to-item', id: first, message }] }
}

function paid(state: UserState, x: number): UserState {
  return { ...state, balance: state.balance + x }
}
