import type { Address, TypedValue } from '../statefun/protobuf.ts'

/** One message on its way to a function. */
export interface Message {
  /** Its number in the store; what came later has a higher one. */
  readonly seq: number
  readonly target: Address
  /** `null`: it came from outside. */
  readonly caller: Address | null
  readonly argument: TypedValue
  /** The call that began it; `undefined` where that is not certain. */
  readonly origin: string | undefined
  /** Nothing of its call has been done yet, as far as this process knows. */
  readonly isFirst: boolean
}

/** A message that is not due yet. */
export interface Delay {
  readonly seq: number
  readonly dueMs: number
  /** Of the sender: `''` where it can't be cancelled. */
  readonly token: string
  readonly message: Message
}

/** A record that a function has answered with. */
export interface Egress {
  readonly seq: number
  readonly topic: string
  readonly key: Buffer
  readonly value: Buffer
}

/** One text for one address: namespaces, types and ids may hold slashes. */
export function placeOf({ namespace, type, id }: Address): string {
  return `${namespace.length}:${type.length}:${namespace}/${type}/${id}`
}

export function functionTypeOf({ namespace, type }: Address): string {
  return `${namespace}/${type}`
}

/** For the caller. */
export function showAddress({ namespace, type, id }: Address): string {
  return `${namespace}/${type}/${id}`
}

/** `a/b/c` is the type `c` in the namespace `a/b`, as StateFun's SDKs have it. */
export function addressOf(functionType: string, id: string): Address {
  const slash = functionType.lastIndexOf('/')
  return { namespace: functionType.slice(0, Math.max(0, slash)), type: functionType.slice(slash + 1), id }
}

export function sizeOf({ target, argument }: Message): number {
  return argument.value.length + target.id.length
}
