import { setTimeout as pause } from 'node:timers/promises'
import { type Address, type Effects, fromFunction, type StateValue, toFunction } from '../statefun/protobuf.ts'
import type { FunctionPlace } from './endpoint-directory.ts'
import type { StateEntry } from './engine-store.ts'
import type { Exchange } from './exchange.ts'
import type { Failure } from './failure.ts'
import type { Message } from './message.ts'
import { functionTypeOf } from './message.ts'
import type { Spec, StateSpecs } from './state-specs.ts'

/** Rounds in which a function may ask for states that it has not been given. */
const MAX_ROUNDS = 10
const FIRST_PAUSE_MS = 2
const MAX_PAUSE_MS = 1_000
/** A batch that is answered by errors so often is taken apart: each of its messages then has the whole time. */
const BATCH_ATTEMPTS = 4

export interface FunctionCall {
  readonly place: FunctionPlace
  readonly target: Address
  readonly messages: readonly Message[]
  /** What is kept at the address, expired values too. */
  readonly values: ReadonlyMap<string, StateEntry>
  readonly specs: StateSpecs
  /** Ends the call without a result. */
  readonly signal: AbortSignal
  readonly onRequest: () => void
}

export type CallResult =
  | { readonly kind: 'effects'; readonly effects: Effects; readonly specs: ReadonlyMap<string, Spec> }
  | { readonly kind: 'failed'; readonly failure: Failure }

const NO_EFFECTS: Effects = { stateMutations: [], outgoingMessages: [], delayedInvocations: [], outgoingEgresses: [] }

/** One batch, with as many rounds and repetitions as it takes. */
export async function callFunction(call: FunctionCall): Promise<CallResult> {
  const { target, specs } = call
  const functionType = functionTypeOf(target)
  const attempts = createAttempts(call)
  const unusable = (detail: string): CallResult => ({ kind: 'failed', failure: { kind: 'unusable-answer', detail } })
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const given = specs.of(functionType)
    // Calls side by side may learn of others meanwhile.
    const sent = [...given.keys()]
    const result = await attempts.answerTo(encodeCall(call, sent))
    if ('failure' in result) return result
    const { invocationResult, incompleteInvocationContext: incomplete } = result
    if (incomplete === null) return { kind: 'effects', effects: invocationResult ?? NO_EFFECTS, specs: given }
    const problem = specs.register(functionType, incomplete.missingValues, new Set(sent))
    if (problem !== undefined) return unusable(problem)
  }
  return unusable(`It has asked for its state ${MAX_ROUNDS} times.`)
}

function encodeCall({ target, messages, values }: FunctionCall, stateNames: readonly string[]): Buffer {
  const now = Date.now()
  const state = stateNames.map((stateName): StateValue => {
    const { value, expiresAtMs = Number.POSITIVE_INFINITY } = values.get(stateName) ?? {}
    return { stateName, stateValue: value === undefined || expiresAtMs <= now ? null : value }
  })
  return toFunction.encode({ invocation: { target, state, invocations: messages } })
}

type Decoded = ReturnType<typeof fromFunction.decode>
type Failed = Extract<CallResult, { kind: 'failed' }>

/** Repeats a request until the call's time is used up, as StateFun does. */
function createAttempts({ place, messages, signal, onRequest }: FunctionCall) {
  const endMs = performance.now() + place.callTimeoutMs
  let failure: Failure | undefined
  let made = 0

  async function attempt(body: Buffer): Promise<Decoded | Failure> {
    onRequest()
    made++
    const timeoutMs = Math.max(1, Math.ceil(endMs - performance.now()))
    return readAnswer(await place.endpoint.post(body, timeoutMs))
  }

  const isLast = ({ kind }: Failure, pauseMs: number) => {
    if (messages.length > 1 && isAnswer(kind) && made >= BATCH_ATTEMPTS) return true
    return signal.aborted || performance.now() + pauseMs >= endMs
  }

  return {
    async answerTo(body: Buffer): Promise<Decoded | Failed> {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
        const answer = await attempt(body)
        if (!('kind' in answer)) return answer
        failure = failure === undefined ? answer : moreTelling(failure, answer)
        if (isLast(answer, pauseMs)) return { kind: 'failed', failure }
        await pause(pauseMs, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}

function isAnswer(kind: Failure['kind']): boolean {
  return kind === 'answered-error' || kind === 'unusable-answer'
}

/** The last answer, if any came: the last attempt may only have had too little time. Reached once is reached. */
function moreTelling(earlier: Failure, later: Failure): Failure {
  if (isAnswer(later.kind)) return later
  if (isAnswer(earlier.kind)) return earlier
  return later.kind === 'unreached' ? earlier : later
}

function readAnswer(exchange: Exchange): Decoded | Failure {
  if (exchange.kind !== 'answered') return exchange
  try {
    return fromFunction.decode(exchange.body)
  } catch {
    return { kind: 'unusable-answer', detail: 'The answer is not a FromFunction message.' }
  }
}
