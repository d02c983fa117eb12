import { StateFun } from 'apache-flink-statefun'

/**
 * Everything that travels. Whatever a call sends on carries the call's `correlation_id`, so that the function at which the call
 * ends can answer it, whichever that is. A JSON type is a name and nothing more: the bytes are plain JSON.
 */
export interface Correlated {
  readonly correlation_id: string
}

/** From the gateway, through Kafka or straight: the arguments fit `metadata.json`, or the gateway had refused the call. */
export type UserRequest = Correlated &
  (
    | { readonly method: 'create'; readonly args: { readonly username: string } }
    | { readonly method: 'get' | 'get_balance'; readonly args: object }
    | { readonly method: 'update_balance'; readonly args: { readonly x: number } }
    | { readonly method: 'buy_item'; readonly args: { readonly amount: number; readonly item: string } }
    | { readonly method: 'simple_for_loop'; readonly args: { readonly users: readonly string[] } }
    | { readonly method: 'state_requests'; readonly args: { readonly items: readonly string[] } }
  )

export type ItemRequest = Correlated &
  (
    | { readonly method: 'create'; readonly args: { readonly item_name: string; readonly price: number } }
    | { readonly method: 'get' | 'get_price'; readonly args: object }
    | { readonly method: 'update_stock' | 'set_stock'; readonly args: { readonly amount: number } }
    | { readonly method: 'reserve'; readonly args: { readonly amount: number; readonly seconds: number } }
    | { readonly method: 'collect'; readonly args: { readonly reservation: string } }
  )

/** From a function to a user. */
export type UserMessage = Correlated &
  (
    | { readonly kind: 'pay'; readonly item: string; readonly amount: number; readonly total: number }
    | { readonly kind: 'gift'; readonly x: number; readonly others: readonly string[]; readonly count: number }
  )

/** From a function to an item. */
export type ItemMessage = Correlated &
  (
    | { readonly kind: 'sell'; readonly user: string; readonly amount: number; readonly budget: number }
    | { readonly kind: 'put-back'; readonly amount: number }
    | { readonly kind: 'expire'; readonly reservation: string }
    | { readonly kind: 'tour'; readonly stops: readonly Stop[]; readonly total: number }
  )

/** What a tour does at one item: adds its stock to the total, or sets it, always or only where the total is positive. */
export interface Stop {
  readonly item: string
  readonly steps: readonly ('read' | { readonly set: number; readonly whenPositive?: true })[]
}

export interface UserState {
  readonly username: string
  readonly balance: number
  readonly items: readonly string[]
}

export interface ItemState {
  readonly item_name: string
  readonly price: number
  readonly stock: number
  /** Pieces by reservation; they are not in `stock` any more. */
  readonly reservations: Readonly<Record<string, number>>
}

/** The value type that `module.yaml` gives the records of both request topics. */
export const requestType = 'shop/request'
export const UserRequestType = StateFun.jsonType<UserRequest>(requestType)
export const ItemRequestType = StateFun.jsonType<ItemRequest>(requestType)

export const UserMessageType = StateFun.jsonType<UserMessage>('shop/user_message')
export const ItemMessageType = StateFun.jsonType<ItemMessage>('shop/item_message')

export const UserStateType = StateFun.jsonType<UserState>('shop/user_state')
export const ItemStateType = StateFun.jsonType<ItemState>('shop/item_state')
