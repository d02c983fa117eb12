import type { HealthCheck, Log, Outcome } from '../contract.ts'
import { notSent, TAKES_NO_CALLS } from '../kafka/not-sent.ts'
import type { SendResult } from '../kafka/transport.ts'
import type { Address } from '../statefun/protobuf.ts'
import { callFunction } from './call-function.ts'
import { type CallsUnderWay, createCallsUnderWay } from './calls-under-way.ts'
import { createDelays, type Delays } from './delays.ts'
import type { EndpointDirectory } from './endpoint-directory.ts'
import type { EngineStore } from './engine-store.ts'
import { asToldToCallers, type Failure, outcomeOf } from './failure.ts'
import { createFailureLog, type FailureLog } from './failure-log.ts'
import { ACKNOWLEDGED, afterCommit } from './hand-over.ts'
import { createLanes, type Lane, type Lanes } from './lanes.ts'
import { type Delay, type Egress, functionTypeOf, type Message, placeOf, sizeOf } from './message.ts'
import type { StatefunEndpointOptions } from './options.ts'
import { createPersistentStore, type PersistentStore } from './persistent-store.ts'
import { type Plan, planEffects } from './plan-effects.ts'
import { createStateSpecs } from './state-specs.ts'

/** Milliseconds between two looks for values that have expired. */
const EXPIRY_SWEEP_MS = 60_000

export type EngineLimits = Readonly<
  Pick<StatefunEndpointOptions, 'maxConcurrent' | 'maxQueued' | 'maxQueuedBytes' | 'drainMs'>
>

export interface EngineOptions {
  readonly store: EngineStore
  readonly directory: EndpointDirectory
  readonly limits: EngineLimits
  /** A record that a function has answered with; committed. Neither this nor `onFailure` may throw. */
  readonly onEgress: (egress: Egress) => void
  /** What a call has come to whose message failed for good, when none of its others is under way. */
  readonly onFailure: (origin: string, outcome: Outcome) => void
  /** A message that is for nobody but the world outside. */
  readonly divert?: (message: Message) => Egress | undefined
  readonly log: Log
  /** See `PersistentStoreOptions`. */
  readonly storePatienceMs?: number | undefined
}

/** A message from outside. */
export type Incoming = Pick<Message, 'target' | 'caller' | 'argument' | 'origin'>

/**
 * StateFun's runtime for remote functions: messages in, calls of functions, and what they have changed, sent, delayed and
 * answered kept at once. Nobody sees anything of a batch before it is committed.
 */
export class Engine {
  readonly #options: EngineOptions
  readonly #specs = createStateSpecs()
  readonly #lanes: Lanes
  readonly #delays: Delays
  readonly #kept: PersistentStore
  readonly #calls: CallsUnderWay
  readonly #failureLog: FailureLog
  readonly #stopping = new AbortController()
  readonly #counts = { batches: 0, requests: 0, messages: 0, failedMessages: 0, splitBatches: 0, droppedEgresses: 0 }
  #state: 'new' | 'open' | 'closed' = 'new'
  #nextSeq = 1
  #queued = 0
  #queuedBytes = 0
  #sweep: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(options: EngineOptions) {
    this.#options = options
    const { store, log, limits, storePatienceMs: patienceMs } = options
    const { maxConcurrent } = limits
    this.#kept = createPersistentStore({ store, log, signal: this.#stopping.signal, patienceMs })
    this.#calls = createCallsUnderWay(options.onFailure)
    this.#failureLog = createFailureLog(log)
    this.#lanes = createLanes({ maxConcurrent, run: (lane) => this.#run(lane) })
    this.#delays = createDelays((delay) => void this.#fire(delay))
  }

  /** Goes on where an earlier process has stopped. @throws DataFolderError */
  start(): void {
    const { store } = this.#options
    const { messages, delays, egresses, nextSeq } = store.open()
    this.#nextSeq = nextSeq
    this.#state = 'open'
    store.dropExpired(Date.now())
    this.#sweep = setInterval(() => store.dropExpired(Date.now()), EXPIRY_SWEEP_MS)
    for (const egress of egresses) this.#emit(egress)
    for (const message of messages) this.#enqueue(message)
    for (const delay of delays.toSorted((a, b) => a.dueMs - b.dueMs)) this.#delays.add(delay)
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Resolves when the message can't be lost any more. Never rejects. */
  accept(incoming: Incoming): Promise<SendResult> {
    const { store, limits } = this.#options
    if (this.#state !== 'open') return Promise.resolve(TAKES_NO_CALLS)
    const waiting = this.#queued + this.#delays.size
    if (waiting >= limits.maxQueued || this.#queuedBytes + this.#delays.bytes >= limits.maxQueuedBytes) {
      return Promise.resolve(notSent('overloaded', `${waiting} messages wait for their functions already.`))
    }
    const message: Message = { ...incoming, seq: this.#nextSeq++, isFirst: true }
    const written = store.write({ addMessages: [message] })
    if (written === undefined) {
      this.#enqueue(message)
      return Promise.resolve(ACKNOWLEDGED)
    }
    this.#count(message, 1)
    return written.then((result) => {
      this.#count(message, -1)
      if (result.kind === 'committed') this.#enqueue(message)
      return afterCommit(result)
    })
  }

  /** A record that answers itself: nothing of it is kept. */
  async answer(record: Omit<Egress, 'seq'>): Promise<SendResult> {
    if (this.#state !== 'open') return TAKES_NO_CALLS
    this.#options.onEgress({ ...record, seq: this.#nextSeq++ })
    return ACKNOWLEDGED
  }

  /** Of the store, and of what it would never take. */
  health(): readonly HealthCheck[] {
    return [{ name: 'store', ...this.#options.store.health() }, ...this.#kept.health()]
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#options.store.counters(), queued: this.#queued, delayed: this.#delays.size }
  }

  /** Calls under way end within their time; what waits stays in the store. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { store, directory, limits } = this.#options
    this.#state = 'closed'
    this.#lanes.stop()
    this.#delays.close()
    clearInterval(this.#sweep)
    const stop = () => {
      this.#stopping.abort()
      directory.close()
    }
    const timer = setTimeout(stop, limits.drainMs)
    await this.#lanes.idle()
    clearTimeout(timer)
    stop()
    store.close()
  }

  /** What waits, or is called, or is on its way into the store. */
  #count(message: Message, change: 1 | -1): void {
    this.#queued += change
    this.#queuedBytes += change * sizeOf(message)
  }

  #enqueue(message: Message): void {
    this.#count(message, 1)
    this.#calls.begin(message.origin)
    this.#lanes.add(message)
  }

  /** Seen by those it is for, and then forgotten: until then it would be sent again after a restart. */
  #emit(egress: Egress): void {
    this.#options.onEgress(egress)
    void this.#kept.commit({ removeEgresses: [egress.seq] })
  }

  async #fire({ seq: delaySeq, message: delayed }: Delay): Promise<void> {
    const message = { ...delayed, seq: this.#nextSeq++ }
    const egress = this.#options.divert?.(message)
    const added = egress === undefined ? { addMessages: [message] } : { addEgresses: [egress] }
    this.#count(message, 1)
    const keeping = await this.#kept.commit({ removeDelays: [delaySeq], ...added })
    this.#count(message, -1)
    // What is abandoned stays in the store, and comes again after a restart.
    if (keeping !== 'kept') return
    if (egress === undefined) this.#enqueue(message)
    else this.#emit(egress)
  }

  async #run(lane: Lane): Promise<void> {
    const [first, ...others] = lane.take(1)
    if (first === undefined) return
    const place = this.#options.directory.find(functionTypeOf(first.target))
    const messages = [first, ...others, ...(place === undefined ? [] : lane.take(place.maxBatch - 1))]
    try {
      await this.#handle(first.target, messages)
    } catch (error) {
      const members = { err: error, function: functionTypeOf(first.target) }
      this.#options.log.error(members, 'a batch could not be handled')
      await this.#giveUp(messages, { kind: 'lost', detail: 'The gateway has failed.' })
    }
    for (const message of messages) this.#count(message, -1)
  }

  async #handle(target: Address, messages: readonly Message[]): Promise<void> {
    const functionType = functionTypeOf(target)
    const place = this.#options.directory.find(functionType)
    const values = await this.#kept.valuesAt(placeOf(target))
    if (values === 'closing') return
    if (values === 'abandoned') return this.#giveUp(messages, UNREADABLE_STATE)
    if (place === undefined) {
      return this.#giveUp(messages, {
        kind: 'unusable-answer',
        detail: `No endpoint has the function ${functionType}.`,
      })
    }
    this.#counts.batches++
    const onRequest = () => {
      this.#counts.requests++
    }
    const { signal } = this.#stopping
    const result = await callFunction({ place, target, messages, values, specs: this.#specs, signal, onRequest })
    if (signal.aborted) return
    if (result.kind === 'failed') return this.#afterFailure(target, messages, result.failure)
    const { effects, specs } = result
    const plan = planEffects(effects, {
      ...{ target, messages, specs, values },
      nextSeq: () => this.#nextSeq++,
      nowMs: Date.now(),
      findDelay: (id, token) => this.#delays.find(id, token),
    })
    if (typeof plan === 'string') {
      return this.#afterFailure(target, messages, { kind: 'unusable-answer', detail: plan })
    }
    return this.#keep(messages, this.#withDiversions(plan))
  }

  #withDiversions(plan: Plan): Plan {
    const { divert } = this.#options
    if (divert === undefined || plan.addMessages.length === 0) return plan
    const diverted = plan.addMessages.map((message) => ({ message, egress: divert(message) }))
    return {
      ...plan,
      addMessages: diverted.flatMap(({ message, egress }) => (egress === undefined ? [message] : [])),
      addEgresses: [...plan.addEgresses, ...diverted.flatMap(({ egress }) => egress ?? [])],
    }
  }

  async #keep(messages: readonly Message[], plan: Plan): Promise<void> {
    // From now on they can't fire beside their cancellation.
    const cancelled = plan.removeDelays.flatMap((seq) => this.#delays.drop(seq) ?? [])
    const kept = await this.#kept.commit(plan)
    if (kept === 'closing') return
    if (kept === 'abandoned') {
      for (const delay of cancelled) this.#delays.add(delay)
      return this.#giveUp(messages, UNKEPT_EFFECTS)
    }
    this.#counts.messages += messages.length
    this.#counts.droppedEgresses += plan.dropped
    for (const egress of plan.addEgresses) this.#emit(egress)
    if (this.#state !== 'open') return
    for (const message of plan.addMessages) this.#enqueue(message)
    for (const delay of plan.addDelays) this.#delays.add(delay)
    for (const { origin } of messages) this.#calls.end(origin)
  }

  /** Of several messages one may be guilty: each is tried alone, in order. An endpoint that is away has no guilty ones. */
  async #afterFailure(target: Address, messages: readonly Message[], failure: Failure): Promise<void> {
    if (failure.kind === 'unreached') return this.#giveUp(messages, failure)
    const seen = messages.map((message) => ({ ...message, isFirst: false }))
    if (messages.length === 1) return this.#giveUp(seen, failure)
    this.#counts.splitBatches++
    for (const message of seen) {
      if (this.#stopping.signal.aborted) return
      await this.#handle(target, [message])
    }
  }

  async #giveUp(messages: readonly Message[], failure: Failure): Promise<void> {
    // What can't even be removed is called again after a restart; its call is told now all the same.
    if ((await this.#kept.commit({ removeMessages: messages.map(({ seq }) => seq) })) === 'closing') return
    this.#counts.failedMessages += messages.length
    for (const { origin, target, isFirst } of messages) {
      this.#failureLog.note({ functionType: functionTypeOf(target), origin, failure })
      this.#calls.end(origin, outcomeOf(asToldToCallers(target, failure), isFirst))
    }
  }
}

const UNREADABLE_STATE: Failure = { kind: 'lost', detail: 'Its state can’t be read.' }
const UNKEPT_EFFECTS: Failure = { kind: 'lost', detail: 'What it has done can’t be kept.' }
