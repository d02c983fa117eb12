import { write, writeSync } from 'node:fs'
import process from 'node:process'
import { atMost } from '../../entity-registry/at-most.ts'

/** Where a logger's lines go. */
export interface LogDestination {
  write(line: string): void
  /** Resolves when everything was written, or after so many milliseconds: whoever reads the log may have stopped. */
  drained(withinMs: number): Promise<void>
}

export interface LogDestinationOptions {
  /** Default: standard output. */
  readonly fd?: number
  /** Characters that may wait for whoever reads the log; lines after that are dropped, and their number is written. */
  readonly maxWaiting?: number
  /** Bytes of one write, lines being kept whole: where others write to the same pipe, few enough not to be torn apart. */
  readonly maxWriteBytes?: number
}

const STDOUT = 1
/** Milliseconds for which lines are gathered: a write costs more than ten lines do. */
const GATHER_MS = 10
/** Milliseconds after which a pipe that was full is tried again. */
const FULL_MS = 20
/** The same after any other error: a full disk, a pipe that nobody has open. It may pass. */
const BROKEN_MS = 500
/** Times that a process which ends tries a full pipe, with all that it has left. */
const LAST_TRIES = 25

/**
 * Lines in the order in which they came, without making a call wait for a disk or a pipe, and without failing when those do. Lines of
 * a hundredth of a second travel together.
 */
export function createLogDestination(options: LogDestinationOptions = {}): LogDestination {
  const { fd = STDOUT, maxWaiting = 16 * 1024 * 1024, maxWriteBytes = Number.POSITIVE_INFINITY } = options
  const waiting: string[] = []
  let waitingLength = 0
  let dropped = 0
  let travelling: Buffer | undefined
  let gathering: NodeJS.Timeout | undefined
  /** What travels was sent back: its next try is scheduled. */
  let isSentBack = false
  let idle: (() => void)[] = []

  function take(): Buffer | undefined {
    if (dropped > 0) waiting.push(lostLine(dropped))
    dropped = 0
    if (waiting.length === 0) return undefined
    const text = waiting.splice(0, linesWithin(waiting, maxWriteBytes)).join('')
    waitingLength = Math.max(0, waitingLength - text.length)
    return Buffer.from(text)
  }

  function pump(): void {
    clearTimeout(gathering)
    gathering = undefined
    isSentBack = false
    travelling ??= take()
    if (travelling === undefined) {
      for (const resolve of idle) resolve()
      idle = []
      return
    }
    write(fd, travelling, (error, written) => {
      if (error !== null) {
        isSentBack = true
        // It keeps no process from ending: what is left then has its last tries.
        setTimeout(pump, error.code === 'EAGAIN' ? FULL_MS : BROKEN_MS).unref()
        return
      }
      travelling = rest(travelling, written)
      if (travelling !== undefined || idle.length > 0 || waitingLength >= maxWriteBytes) pump()
      else if (waiting.length > 0 || dropped > 0) gather()
    })
  }

  function gather(): void {
    if (travelling === undefined) gathering ??= setTimeout(pump, GATHER_MS)
  }

  /** What is on its way is the system's; the rest is written now, or never. */
  function* left(): Generator<Buffer> {
    if (isSentBack && travelling !== undefined) yield travelling
    for (let bytes = take(); bytes !== undefined; bytes = take()) yield bytes
  }
  process.once('exit', () => writeLast(fd, left()))

  return {
    write(line) {
      if (waitingLength + line.length > maxWaiting) {
        dropped++
        return
      }
      waiting.push(line)
      waitingLength += line.length
      gather()
    },
    async drained(withinMs) {
      const { promise, resolve } = Promise.withResolvers<void>()
      idle.push(resolve)
      if (travelling === undefined) pump()
      await atMost(withinMs, promise)
    },
  }
}

/** How many of the first lines fit; at least one. */
function linesWithin(lines: readonly string[], maxBytes: number): number {
  if (maxBytes === Number.POSITIVE_INFINITY) return lines.length
  let bytes = 0
  const tooMany = lines.findIndex((line) => {
    bytes += Buffer.byteLength(line)
    return bytes > maxBytes
  })
  return tooMany < 0 ? lines.length : Math.max(1, tooMany)
}

/** Ends at the first error that does not pass by waiting a moment. */
function writeLast(fd: number, all: Iterable<Buffer>): void {
  let triesLeft = LAST_TRIES
  for (const bytes of all) {
    let left: Buffer | undefined = bytes
    while (left !== undefined) {
      try {
        left = rest(left, writeSync(fd, left))
      } catch (error) {
        if (!isFullPipe(error) || --triesLeft === 0) return
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS)
      }
    }
  }
}

function isFullPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}

function rest(bytes: Buffer | undefined, written: number): Buffer | undefined {
  return bytes === undefined || written >= bytes.length ? undefined : bytes.subarray(written)
}

/** In the form of the logger's own lines; 40 is its number for a warning. */
function lostLine(count: number): string {
  return `${JSON.stringify({ level: 40, time: Date.now(), count, msg: 'log lines were lost: nobody read them in time' })}\n`
}
