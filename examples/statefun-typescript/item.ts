import type { ItemMessage, ItemRequest, ItemState, Stop } from './messages.ts'
import { type Effect, failed, returned, type Self, type Turn } from './turn.ts'

type ItemTurn = Turn<ItemState>

/** Something the shop sells: what the gateway asks. */
export function onItemRequest({ id, state }: Self<ItemState>, call: ItemRequest): ItemTurn {
  if (call.method === 'create') {
    if (state !== null) return { effects: [failed(call, 'ALREADY_EXISTS', `There is an item ${id} already.`)] }
    const created = { item_name: id, price: call.args.price, stock: 0, reservations: {} }
    return { state: created, effects: [returned(call, null)] }
  }
  if (state === null) return { effects: [failed(call, 'KEY_NOT_FOUND', `There is no item ${id}.`)] }
  switch (call.method) {
    case 'get':
      return { effects: [returned(call, state)] }
    case 'get_price':
      return { effects: [returned(call, state.price)] }
    case 'update_stock': {
      const enough = state.stock + call.args.amount >= 0
      return { ...(enough && { state: stocked(state, call.args.amount) }), effects: [returned(call, enough)] }
    }
    case 'set_stock':
      return { state: { ...state, stock: call.args.amount }, effects: [returned(call, null)] }
    case 'reserve':
      return reserve(id, state, call)
    case 'collect':
      return collect(state, call)
  }
  // Only a record that did not come from the gateway can get here.
  return { effects: [failed(call, 'UNKNOWN_METHOD', 'Items have no such method.')] }
}

/** What other functions, or it itself some time ago, tell an item. */
export function onItemMessage({ id, state }: Self<ItemState>, message: ItemMessage): ItemTurn {
  if (state === null) return { effects: [failed(message, 'KEY_NOT_FOUND', `There is no item ${id}.`)] }
  switch (message.kind) {
    case 'sell':
      return sell(id, state, message)
    case 'put-back':
      return { state: stocked(state, message.amount) }
    case 'expire':
      return { state: released(state, message.reservation, 'to the stock') }
    case 'tour':
      return visit(state, message)
  }
}

function sell(id: string, state: ItemState, call: ItemMessage & { readonly kind: 'sell' }): ItemTurn {
  const { correlation_id, user, amount, budget } = call
  const total = amount * state.price
  if (total > budget || amount > state.stock) return { effects: [returned(call, false)] }
  const message = { kind: 'pay', correlation_id, item: id, amount, total } as const
  return { state: stocked(state, -amount), effects: [{ kind: 'send-to-user', id: user, message }] }
}

/** Takes pieces off the shelf until they are collected or the time is over: a message to itself puts them back then. */
function reserve(id: string, state: ItemState, call: ItemRequest & { readonly method: 'reserve' }): ItemTurn {
  const { amount, seconds } = call.args
  if (amount > state.stock) return { effects: [failed(call, 'OutOfStock', `Only ${state.stock} are left.`)] }
  // Nobody else's call has this id.
  const { correlation_id, correlation_id: reservation } = call
  const effects: readonly Effect[] = [
    {
      kind: 'remind-item',
      id,
      message: { kind: 'expire', correlation_id, reservation },
      reminder: { afterMs: Math.round(seconds * 1_000), token: reservation },
    },
    returned(call, reservation),
  ]
  const reservations = { ...state.reservations, [reservation]: amount }
  return { state: { ...stocked(state, -amount), reservations }, effects }
}

function collect(state: ItemState, call: ItemRequest & { readonly method: 'collect' }): ItemTurn {
  const { reservation } = call.args
  if (!Object.hasOwn(state.reservations, reservation)) return { effects: [returned(call, false)] }
  return {
    state: released(state, reservation, 'to the customer'),
    effects: [{ kind: 'forget-reminder', token: reservation }, returned(call, true)],
  }
}

/** Without the reservation; one that is not there any more was collected before its time was over. */
function released(state: ItemState, reservation: string, to: 'to the stock' | 'to the customer'): ItemState {
  const { [reservation]: amount = 0, ...reservations } = state.reservations
  return { ...stocked(state, to === 'to the stock' ? amount : 0), reservations }
}

/** One stop of a tour over several items. The last one answers the caller. */
function visit(state: ItemState, message: ItemMessage & { readonly kind: 'tour' }): ItemTurn {
  const [here, ...stops] = message.stops
  const { stock, total } = walk(here?.steps ?? [], { stock: state.stock, total: message.total })
  const next = stops[0]?.item
  const effect: Effect =
    next === undefined
      ? returned(message, total)
      : { kind: 'send-to-item', id: next, message: { ...message, stops, total } }
  return { state: { ...state, stock }, effects: [effect] }
}

function walk(steps: Stop['steps'], start: { readonly stock: number; readonly total: number }): typeof start {
  let { stock, total } = start
  for (const step of steps) {
    if (step === 'read') total += stock
    else if (step.whenPositive !== true || total > 0) stock = step.set
  }
  return { stock, total }
}

function stocked(state: ItemState, amount: number): ItemState {
  return { ...state, stock: state.stock + amount }
}
