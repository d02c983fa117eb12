import type { Outcome } from '../contract.ts'
import { isEntityError } from './entity-error.ts'
import { detach } from './plain-data.ts'
import { quietenPromises } from './promises.ts'
import { StateStoreError } from './state-store.ts'

/** A call met a key that nobody has. */
export class EntityNotFoundError extends Error {
  override readonly name = 'EntityNotFoundError'
}

const MAX_MESSAGE_CHARS = 2_000

type Raised = Extract<Outcome, { kind: 'raised' }>

/** What a call that threw is answered with. It has been rolled back, so nothing of it happened. Never a stack. */
export function outcomeOfError(error: unknown): Outcome {
  try {
    return describe(error)
  } catch {
    return { kind: 'raised', message: 'a thrown object that can’t be read' }
  }
}

function describe(error: unknown): Outcome {
  if (error instanceof EntityNotFoundError) {
    return { kind: 'rejected', reason: 'entity-not-found', detail: error.message, effect: 'none' }
  }
  if (error instanceof StateStoreError) {
    return { kind: 'not-sent', cause: 'runtime-unavailable', detail: error.message }
  }
  if (isEntityError(error)) return { ...raised(error.name, error.message), ...plainData(error.data) }
  if (error instanceof Error) return raised(className(error), error.message)
  quietenPromises(error)
  return { kind: 'raised', message: shorten(typeof error === 'string' ? error : `a thrown ${typeof error}`) }
}

/** Code may give an error members that are no text. */
function raised(name: unknown, message: unknown): Raised {
  const text = typeof message === 'string' ? shorten(message) : ''
  return typeof name === 'string' ? { kind: 'raised', name, message: text } : { kind: 'raised', message: text }
}

/** The name that the error gives itself where that is more than the class says. */
function className(error: Error): unknown {
  const name: unknown = (error.constructor as Error['constructor'] | undefined)?.name
  return typeof name !== 'string' || name === 'Error' || name === '' ? error.name : name
}

function shorten(message: string): string {
  return message.length <= MAX_MESSAGE_CHARS ? message : `${message.slice(0, MAX_MESSAGE_CHARS)}…`
}

/** Data that can't be sent is left out: the refusal itself matters more. */
function plainData(data: unknown): { readonly data?: unknown } {
  if (data === undefined) return {}
  try {
    return { data: detach(data, 'data') }
  } catch {
    return {}
  }
}
