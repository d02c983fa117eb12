import type { Log } from '../../runtime-adapters/contract.ts'
import { ConfigError } from '../config.ts'
import { createLink, type Link } from './link.ts'
import type { PrimaryQuestion, WorkerAnswers, WorkerQuestion } from './questions.ts'
import { createRestarts } from './restarts.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface Member {
  readonly number: number
  readonly process: WorkerProcess
  readonly link: Link<WorkerQuestion>
  isServing: boolean
  /** Signals that came before it served. */
  readonly due: Set<NodeJS.Signals>
}

export interface CrewOptions {
  readonly count: number
  readonly fork: (number: number) => WorkerProcess
  /** To what the crew itself has no answer. */
  readonly answer: (
    member: Member,
    question: Exclude<PrimaryQuestion, CrewQuestion>,
    signal: AbortSignal,
  ) => Promise<unknown>
  readonly onEnd: (member: Member) => void
  /** Workers end again and again: it is of no use to go on. */
  readonly onHopeless: () => void
  readonly log: Log
}

type CrewQuestion = Extract<PrimaryQuestion, { readonly op: 'serving' | 'failed' }>

/** Milliseconds in which a worker must have heard that it is to stop. */
const TELL_MS = 5_000

/** The workers of this primary process: started, started again when they end, asked, stopped. */
export class Crew {
  readonly #options: CrewOptions
  readonly #members = new Map<number, Member>()
  readonly #restarts
  readonly #started = Promise.withResolvers<string>()
  readonly #ended = Promise.withResolvers<void>()
  #haveAllServed = false
  #isStopping = false
  #worstCode = 0
  #failure: Error | undefined

  constructor(options: CrewOptions) {
    this.#options = options
    this.#restarts = createRestarts((number) => this.#hire(number))
  }

  /** They were ready once, all at the same time. */
  get haveAllServed(): boolean {
    return this.#haveAllServed
  }

  get servingCount(): number {
    return [...this.#members.values()].filter(({ isServing }) => isServing).length
  }

  /**
   * @returns what the first of them announces, once all serve
   * @throws Error why one could not start, when all have ended
   */
  start(): Promise<string> {
    for (let number = 1; number <= this.#options.count; number++) this.#hire(number)
    return this.#started.promise
  }

  /** Answers of those that serve and answer in time. */
  async askAll<Op extends WorkerQuestion['op']>(op: Op, timeoutMs: number) {
    const serving = [...this.#members.values()].filter(({ isServing }) => isServing)
    return Promise.all(
      serving.map(async (member) => {
        const answer = await member.link.ask({ op }, { timeoutMs }).catch(() => undefined)
        // A worker of the same program has answered.
        return { member, answer: answer as WorkerAnswers[Op] | undefined }
      }),
    )
  }

  /** To those that serve, and to others once they do: they may have read already what a signal is to make them read. */
  pass(signal: NodeJS.Signals): void {
    for (const { isServing, process, due } of this.#members.values()) {
      if (isServing) process.kill(signal)
      else due.add(signal)
    }
  }

  /** @returns the worst of their exit codes, once all have ended; `killAfterMs` is for those that don't */
  async stop(killAfterMs: number): Promise<number> {
    this.#isStopping = true
    this.#restarts.close()
    if (this.#members.size === 0) this.#ended.resolve()
    for (const { link, process, isServing } of this.#members.values()) {
      if (isServing) link.ask({ op: 'stop' }, { timeoutMs: TELL_MS }).catch(() => undefined)
      // It has no calls yet, and may be busy for seconds before it can hear anything.
      else process.kill('SIGKILL')
    }
    const killer = setTimeout(() => {
      for (const { process } of this.#members.values()) process.kill('SIGKILL')
    }, killAfterMs)
    await this.#ended.promise
    clearTimeout(killer)
    return this.#worstCode
  }

  #hire(number: number): void {
    const process = this.#options.fork(number)
    const member: Member = {
      ...{ number, process, isServing: false, due: new Set() },
      // A worker of the same program asks.
      link: createLink(process.port, (question, signal) => this.#answer(member, question as PrimaryQuestion, signal)),
    }
    this.#members.set(number, member)
    process.onEnd((code, how) => this.#bury(member, { code, how }))
  }

  async #answer(member: Member, question: PrimaryQuestion, signal: AbortSignal): Promise<unknown> {
    if (question.op === 'serving') this.#noteServing(member, question.announcement)
    else if (question.op === 'failed') {
      this.#failure ??= question.isOperators ? new ConfigError([question.text]) : new Error(question.text)
      if (this.#haveAllServed)
        this.#options.log.error({ worker: member.number }, `a worker can’t start: ${question.text}`)
    } else return this.#options.answer(member, question, signal)
    return undefined
  }

  #noteServing(member: Member, announcement: string): void {
    const { number, process, due } = member
    member.isServing = true
    for (const signal of due) process.kill(signal)
    this.#restarts.noteServing(number)
    if (this.#haveAllServed) this.#options.log.info({ worker: number, workerPid: process.pid }, 'a worker serves again')
    if (this.servingCount < this.#options.count) return
    this.#haveAllServed = true
    this.#started.resolve(announcement)
  }

  #bury(member: Member, { code, how }: { readonly code: number | undefined; readonly how: string }): void {
    const { number, link, isServing } = member
    this.#members.delete(number)
    link.close()
    this.#options.onEnd(member)
    if (this.#isStopping) this.#noteStopped(isServing ? (code ?? 1) : 0)
    else if (this.#haveAllServed) this.#replace(number, how)
    else {
      // Before all have served, one that ends has failed the start.
      this.#failure ??= new Error(`worker ${number} ended before it served: ${how}.`)
      const failure = this.#failure
      void this.stop(TELL_MS).then(() => this.#started.reject(failure))
    }
  }

  #noteStopped(code: number): void {
    this.#worstCode = Math.max(this.#worstCode, code)
    if (this.#members.size === 0) this.#ended.resolve()
  }

  #replace(number: number, how: string): void {
    const { log, onHopeless } = this.#options
    const inMs = this.#restarts.plan(number)
    if (inMs !== undefined) {
      log.error(
        { worker: number, restartInMs: inMs },
        `a worker ended (${how}); its calls are taken over, it is started again`,
      )
      return
    }
    log.error({ worker: number }, `a worker ended (${how}), again and again; the gateway stops`)
    onHopeless()
  }
}
