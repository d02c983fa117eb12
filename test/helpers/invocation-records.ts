import { randomUUID } from 'node:crypto'
import type { InvocationRecord } from '../../src/routes/invocation-store.ts'
import type { HttpAnswer } from '../../src/routes/to-http.ts'

export function runningRecord(overrides: Partial<InvocationRecord> = {}): InvocationRecord {
  const createdAt = Date.now()
  return {
    id: randomUUID(),
    principal: 'alice@example',
    replica: 'aaaaaa',
    asked: { kind: 'call', entity: 'User', key: 'alice', member: 'buy_item' },
    createdAt,
    expiresAt: createdAt + 60_000,
    fingerprint: undefined,
    state: 'running',
    ...overrides,
  }
}

export function storedAnswer(body: string, status = 200): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body }
}
