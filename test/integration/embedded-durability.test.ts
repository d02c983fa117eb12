import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCaller } from '../conformance/caller.ts'
import { embeddedRuntime } from '../conformance/embedded-runtime.ts'
import { Account, accounts } from './bank.ts'

const KILLS = 20
const child = fileURLToPath(new URL('embedded-durability-child.ts', import.meta.url))

interface AccountState {
  readonly balance: number
  readonly sent: number
  readonly received: number
}

describe('the embedded runtime in a folder, killed under load', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'durability-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it(`keeps every answered call and no half of one, ${KILLS} times over`, { timeout: 120_000 }, async () => {
    const answered = new Map<string, number>()
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = sum([...answered.values()])
      for (const [account, count] of await runUntilKilled(folder)) answered.set(account, count)
      expect(sum([...answered.values()])).toBeGreaterThan(before)
      const states = await readAccounts(folder)
      for (const [account, count] of answered) expect(states.get(account)?.sent).toBeGreaterThanOrEqual(count)
      const all = [...states.values()]
      expect(sum(all.map(({ balance }) => balance))).toBe(accounts.length * 1_000)
      expect(sum(all.map(({ received }) => received))).toBe(sum(all.map(({ sent }) => sent)))
    }
  })
})

/** The last answer of each account before the end. */
async function runUntilKilled(folder: string): Promise<ReadonlyMap<string, number>> {
  const bank = spawn(process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(bank, 'close')
  let output = ''
  bank.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  await Promise.race([once(bank.stdout, 'data'), closed])
  await pause(Math.random() * 50)
  bank.kill('SIGKILL')
  const [, signal] = await closed
  expect(signal).toBe('SIGKILL')
  const lines = output.split('\n').slice(0, -1)
  return new Map(
    lines.map((line) => {
      const [account = '', count] = line.split(' ')
      return [account, Number(count)] as const
    }),
  )
}

async function readAccounts(dataFolder: string): Promise<ReadonlyMap<string, AccountState>> {
  const { adapter, entities } = embeddedRuntime({ definitions: [Account], dataFolder })
  await adapter.start()
  const caller = createCaller({ adapter, entities })
  const states = new Map<string, AccountState>()
  for (const id of accounts) {
    const outcome = await caller.readState('Account', id)
    // Accounts are made one by one at first; the state is what `Account` says.
    if (outcome.kind === 'returned') states.set(id, outcome.value as AccountState)
  }
  await adapter.close()
  return states
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
