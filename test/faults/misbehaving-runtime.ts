import process from 'node:process'
import { type Execution, type Mode, wellBehaved } from './work.ts'

/** Executes calls, writes down every execution, and misbehaves on command; how it is spoken to is up to others. */
export interface MisbehavingRuntime {
  /** @param reply how this request is answered */
  execute(request: WorkRequest, reply: Reply): void
  /** What the matrix may ask of it, by name. */
  readonly questions: Readonly<Record<string, (input: unknown) => unknown>>
}

export interface WorkRequest {
  readonly call: string
  readonly account: string
  readonly amount: number
  readonly eventId: string
}

export interface Reply {
  readonly text: (value: number) => string
  /** Resolves when the brokers have it. */
  readonly write: (text: string) => Promise<void>
}

interface Entry {
  readonly call: string
  readonly eventId: string
  readonly value: number
  replied: boolean
}

export function createMisbehavingRuntime(): MisbehavingRuntime {
  const sums = new Map<string, number>()
  const held: (() => void)[] = []
  let executions: Entry[] = []
  let mode: Mode = wellBehaved
  let count = 0
  /** Replies that were held, late, repeated or unreadable: the proof that a fault was there. */
  let misdeeds = 0

  function answer(entry: Entry, { text, write }: Reply): void {
    const { delayMs, copies, garbles, holds } = mode
    const kind = garbles && count % 2 === 0 ? count / 2 : undefined
    if (copies > 1 || kind !== undefined || delayMs > 0 || holds) misdeeds++
    const send = async () => {
      const right = text(entry.value)
      for (let copy = 0; copy < copies; copy++) {
        await write(kind === undefined ? right : garble(right, entry.eventId, kind))
        if (kind === undefined) entry.replied = true
      }
    }
    if (holds) held.push(() => void send())
    else if (delayMs > 0) setTimeout(() => void send(), delayMs)
    else void send()
  }

  return {
    execute({ call, account, amount, eventId }, reply) {
      const sum = (sums.get(account) ?? 0) + amount
      sums.set(account, sum)
      const entry: Entry = { call, eventId, value: sum, replied: false }
      executions.push(entry)
      count++
      answer(entry, reply)
    },
    questions: {
      pid: () => process.pid,
      behave(input) {
        // `worker-process.ts` writes it.
        mode = input as Mode
        if (!mode.holds) for (const release of held.splice(0)) release()
      },
      account: () => ({ executions: executions satisfies readonly Execution[], misdeeds }),
      forget() {
        executions = []
        misdeeds = 0
      },
    },
  }
}

/** In turn: cut off, another format, without any id. */
function garble(text: string, id: string, kind: number): string {
  const kinds = [text.slice(0, -20), `\u0080\u0004\u0095event_id\u008c$${id}\u0094`, '{"who":"knows"}']
  return kinds[kind % kinds.length] ?? ''
}
