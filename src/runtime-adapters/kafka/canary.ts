import { randomUUID } from 'node:crypto'
import type { HealthCheck } from '../contract.ts'
import type { KafkaDialect } from './dialect.ts'
import type { ReplySteering } from './reply-steering.ts'
import type { KafkaRecord, ReceivedRecord, SendResult } from './transport.ts'

/** Milliseconds a runtime has to answer a ping, so that a health check ends within its second. */
const PATIENCE_MS = 900
/** Milliseconds an answer stays good: probes must not become load. */
const FRESH_MS = 2_000

/** Asks the runtime itself whether it answers: processes look alive when the dataflow is dead. */
export interface Canary {
  check(): Promise<readonly HealthCheck[]>
  /** Whether the record was the answer to one of our pings. */
  take(id: string | undefined, record: ReceivedRecord): boolean
  close(): void
}

export interface CanaryOptions {
  readonly dialect: KafkaDialect
  readonly transport: { send(record: KafkaRecord): Promise<SendResult> }
  readonly steering?: ReplySteering | undefined
}

export function createCanary({ dialect, transport, steering }: CanaryOptions): Canary {
  const { isPong, name, silenceHint } = dialect
  const silent = [`It did not answer a ping within ${PATIENCE_MS} ms.`, silenceHint ?? ''].join(' ').trim()
  const waiting = new Map<string, (answered: boolean) => void>()
  let last: { readonly atMs: number; readonly check: Promise<HealthCheck> } | undefined

  async function ask(makePing: NonNullable<KafkaDialect['ping']>): Promise<HealthCheck> {
    const id = steering?.newId() ?? randomUUID()
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(resolve, PATIENCE_MS, false)
    waiting.set(id, resolve)
    const sent = await Promise.race([transport.send(makePing(id)), promise])
    const failed = typeof sent === 'object' && sent.kind !== 'acknowledged' ? sent.detail : undefined
    const answered = failed === undefined && (await promise)
    clearTimeout(timer)
    waiting.delete(id)
    if (failed === undefined && !answered) steering?.doubt()
    if (answered) return { name: `${name} runtime`, ok: true, detail: 'It answers.' }
    return {
      name: `${name} runtime`,
      ok: false,
      detail: failed ?? silent,
    }
  }

  return {
    async check() {
      // It may come and go with the entities.
      const { ping } = dialect
      if (ping === undefined) return []
      const nowMs = performance.now()
      if (last === undefined || nowMs - last.atMs > FRESH_MS) last = { atMs: nowMs, check: ask(ping) }
      return [await last.check]
    },
    take(id, record) {
      const resolve = id === undefined ? undefined : waiting.get(id)
      if (resolve === undefined || !isPong(record)) return false
      resolve(true)
      return true
    },
    close() {
      for (const resolve of waiting.values()) resolve(false)
    },
  }
}
