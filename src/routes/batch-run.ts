import { Readable } from 'node:stream'
import { answerLine, type BatchPlace, refusalLine } from './batch-answer.ts'
import type { BatchCall, ReadLine } from './batch-call.ts'
import { createLanes, type Lanes } from './batch-lanes.ts'
import { type BatchLine, createLineSplitter, isBlank, type LineSplitter } from './batch-lines.ts'
import { createBatchOutput } from './batch-output.ts'
import { ProblemError } from './problem.ts'
import type { HttpAnswer } from './to-http.ts'

export interface BatchLimits {
  /** Lines that are held at once: from when they are read until their answers are on their way. */
  readonly maxLines: number
  /** Bytes of such lines, and of their answers once they are there; a single one may have more. */
  readonly maxBytes: number
  readonly maxLineBytes: number
  /** Milliseconds that the caller may neither send nor take anything while he is waited for. */
  readonly idleMs: number
}

export interface BatchRunOptions {
  /** The caller's bytes. */
  readonly source: Readable
  readonly read: (bytes: Buffer, number: number) => ReadLine
  /** @throws ProblemError for every answer that is a failure */
  readonly answer: (call: BatchCall) => Promise<HttpAnswer>
  readonly newId: () => string
  readonly limits: BatchLimits
  /** Told the status of each answer. */
  readonly onLine?: ((status: number) => void) | undefined
}

export interface BatchSummary {
  readonly lines: number
  readonly answered: number
  /** Lines whose call was never made, since their caller has gone. */
  readonly dropped: number
  /** The most lines that were held at once. */
  readonly maxHeld: number
  /** Whether it ended before the caller had sent all. */
  readonly isCut: boolean
}

interface Job {
  readonly call: BatchCall
  readonly bytes: number
}

/** Milliseconds in which what a caller still sends is refused line by line once the gateway stops; the rest is refused in one. */
const DRAIN_MS = 1_000

/**
 * One batch: from the caller's bytes to the bytes of the answers. It holds a bounded number of lines, stops reading when there
 * is no room for more or nobody reads the answers, and writes the answers of one tick of the event loop at once, in pieces.
 */
export class BatchRun {
  /** What the caller gets. Destroying it abandons the batch: calls under way end, the others are dropped. */
  readonly answers: Readable
  readonly ended: Promise<BatchSummary>
  readonly #options: BatchRunOptions
  readonly #lines: LineSplitter
  readonly #lanes: Lanes<Job>
  readonly #end = Promise.withResolvers<BatchSummary>()
  readonly #idle: NodeJS.Timeout
  #state: 'open' | 'cut' | 'done' | 'abandoned' = 'open'
  /** The caller has sent all. */
  #isRead = false
  #isDraining = false
  /** Why it was cut; the last line of the answers. */
  #lastWord: ProblemError | undefined
  /** Something was sent that no line was made of. */
  #hasUnread = false
  /** The answers' stream takes more. */
  #isWanted = false
  readonly #output = createBatchOutput()
  #flush: NodeJS.Immediate | undefined
  #drainTimer: NodeJS.Timeout | undefined
  #held = 0
  #heldBytes = 0
  #maxHeld = 0
  #answered = 0
  #dropped = 0

  constructor(options: BatchRunOptions) {
    this.#options = options
    const { source, limits } = options
    this.ended = this.#end.promise
    this.#lines = createLineSplitter(limits.maxLineBytes)
    this.#lanes = createLanes(
      (job) => this.#call(job),
      () => this.#mayBegin(),
    )
    this.answers = new Readable({
      read: () => this.#want(),
      destroy: (error, callback) => {
        clearTimeout(this.#idle)
        this.#abandon()
        callback(error)
      },
    })
    this.#idle = setTimeout(() => this.#onIdle(), limits.idleMs)
    source.on('data', (chunk: Buffer) => this.#feed(chunk))
    source.once('end', () => this.#readAll())
    source.once('error', () => this.answers.destroy())
  }

  /** No call is made any more, once: what was not begun is refused, what the caller still sends too. */
  drain(): void {
    if (this.#state !== 'open') return
    this.#isDraining = true
    for (const { call, bytes } of this.#lanes.takeWaiting()) this.#refuse(call.place, shuttingDown(), bytes)
    this.#drainTimer = setTimeout(() => {
      const detail = 'The gateway is stopping: this line and all after it were not read, and nothing of them was sent.'
      this.#cut(new ProblemError('shutting_down', { detail }))
    }, DRAIN_MS)
  }

  #feed(chunk: Buffer): void {
    if (this.#state === 'open') {
      this.#lines.feed(chunk)
      this.#pump()
    } else if (!isBlank(chunk)) {
      // What a batch that was cut is still sent is taken and forgotten, so that its answers can be read.
      this.#hasUnread = true
    }
  }

  #readAll(): void {
    this.#isRead = true
    this.#lines.end()
    this.#pump()
  }

  /** Takes lines while there is room for them. */
  #pump(): void {
    const { source } = this.#options
    while (this.#state === 'open') {
      if (!this.#hasRoom()) return void source.pause()
      const line = this.#lines.next()
      if (line === undefined) {
        source.resume()
        break
      }
      this.#accept(line)
    }
    this.#finishIfDone()
  }

  #hasRoom(): boolean {
    const { maxLines, maxBytes } = this.#options.limits
    return this.#isWanted && this.#held < maxLines && this.#heldBytes < maxBytes
  }

  /** Answers that wait make room when they are taken, and then it goes on; without any, there is nothing to wait for. */
  #mayBegin(): boolean {
    return this.#heldBytes < this.#options.limits.maxBytes || this.#output.isEmpty
  }

  #accept(line: BatchLine): void {
    const bytes = line.kind === 'whole' ? line.bytes.length : 0
    this.#held++
    this.#heldBytes += bytes
    this.#maxHeld = Math.max(this.#maxHeld, this.#held)
    if (line.kind === 'too-long') {
      const detail = `A line may have ${this.#options.limits.maxLineBytes} bytes.`
      this.#refuse({ kind: 'line', number: line.number }, new ProblemError('body_too_large', { detail }), bytes)
      return
    }
    const read = this.#options.read(line.bytes, line.number)
    if (read.kind === 'refused') this.#refuse(read.place, read.problem, bytes)
    else if (this.#isDraining) this.#refuse(read.place, shuttingDown(), bytes)
    else this.#lanes.add(read.lane, { call: read, bytes })
  }

  async #call({ call, bytes }: Job): Promise<void> {
    try {
      const answer = await this.#options.answer(call)
      this.#options.onLine?.(answer.status)
      this.#write(answerLine(call.place, answer), bytes)
    } catch (error) {
      const detail = 'The gateway could not finish this call.'
      this.#refuse(
        call.place,
        error instanceof ProblemError ? error : new ProblemError('internal_error', { detail }),
        bytes,
      )
    }
    if (this.#state === 'abandoned') this.#settle()
  }

  #refuse(place: BatchPlace, problem: ProblemError, bytes: number): void {
    this.#options.onLine?.(problem.status)
    this.#write(refusalLine(place, problem, problem.fields.invocationId ?? this.#options.newId()), bytes)
  }

  /** @param lineBytes that the answer takes the place of */
  #write(text: string, lineBytes: number): void {
    if (this.#state === 'abandoned') {
      this.#held--
      return
    }
    const bytes = Buffer.byteLength(text)
    this.#output.add(text, bytes)
    this.#heldBytes += bytes - lineBytes
    this.#flush ??= setImmediate(() => this.#flushOutput())
  }

  #want(): void {
    this.#isWanted = true
    this.#idle.refresh()
    this.#flushOutput()
  }

  /** What was answered since the last time, as far as it is wanted. Its lines are held until here. */
  #flushOutput(): void {
    clearImmediate(this.#flush)
    this.#flush = undefined
    while (this.#isWanted) {
      const piece = this.#output.take()
      if (piece === undefined) break
      this.#held -= piece.answers
      this.#heldBytes -= piece.bytes
      this.#answered += piece.answers
      this.#idle.refresh()
      this.#isWanted = this.answers.push(piece.text)
    }
    this.#lanes.goOn()
    this.#pump()
  }

  /** The caller is waited for only while no line of his is held, or while he does not take what was answered. */
  #onIdle(): void {
    if (!this.#isWanted || this.#state === 'done') this.answers.destroy(new Error('the answers were not taken in time'))
    // While a line is held, its answer begins the time anew.
    else if (this.#held === 0) {
      const detail = `No line came for ${this.#options.limits.idleMs} ms. This line and all after it were not read.`
      this.#cut(new ProblemError('bad_request', { status: 408, detail, retry: 'safe' }))
    }
  }

  /** Calls under way end; nothing more is read. */
  #cut(lastWord: ProblemError): void {
    this.#state = 'cut'
    this.#lastWord = lastWord
    this.#hasUnread = !this.#lines.isEmpty
    // While it was paused, its end could not be seen.
    this.#options.source.resume()
    this.#finishIfDone()
  }

  #finishIfDone(): void {
    if (this.#held > 0) return
    if (this.#state === 'open' ? !this.#isRead : this.#state !== 'cut') return
    // There is no line that was not read.
    if (this.#isRead && !this.#hasUnread) this.#lastWord = undefined
    if (this.#lastWord !== undefined) {
      const place: BatchPlace = { kind: 'line', number: this.#lines.nextNumber }
      this.answers.push(refusalLine(place, this.#lastWord, this.#options.newId()))
    }
    this.#state = 'done'
    this.answers.push(null)
    this.#settle()
  }

  #abandon(): void {
    this.#state = 'abandoned'
    const { length } = this.#lanes.takeWaiting()
    this.#dropped = length
    this.#held -= length + this.#output.clear()
    this.#settle()
  }

  /** The idle timer stays until the last answer was taken. */
  #settle(): void {
    clearTimeout(this.#drainTimer)
    if (this.#held > 0) return
    const lines = this.#lines.nextNumber - 1
    const isCut = this.#lastWord !== undefined
    this.#end.resolve({ lines, answered: this.#answered, dropped: this.#dropped, maxHeld: this.#maxHeld, isCut })
  }
}

function shuttingDown(): ProblemError {
  return new ProblemError('shutting_down', { detail: 'This replica is stopping and takes no new calls.' })
}
