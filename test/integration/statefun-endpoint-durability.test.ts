import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'
import { type Account, accountIds, accountOf, START_BALANCE, startBank, unpacked } from './statefun-bank.ts'
import { bankEngine } from './statefun-bank-engine.ts'

const LANES = 2
/** In each lane; CI has time for fewer. */
const KILLS = Number(process.env.TEST_KILLS ?? 200) / LANES
const child = fileURLToPath(new URL('statefun-endpoint-durability-child.ts', import.meta.url))

describe('the endpoint engine in a folder, killed under load', () => {
  let bank: Awaited<ReturnType<typeof startBank>>
  beforeAll(async () => {
    bank = await startBank()
  })
  afterAll(async () => {
    await bank.close()
  })

  it(`keeps each change together with its messages, ${LANES * KILLS} times over`, { timeout: 400_000 }, async () => {
    const root = createTemporaryFolder()
    onTestFinished(root.close)
    const folders = Array.from({ length: LANES }, (_, lane) => join(root.path, String(lane)))
    await Promise.all(
      folders.map(async (folder) => {
        let [begun, accepted] = [0, 0]
        for (let kill = 0; kill < KILLS; kill++) {
          const output = await runUntilKilled(folder, bank.url)
          begun += count(output, '?')
          accepted += count(output, '!')
          checkBooks(readBooks(folder), { begun, accepted })
        }
        expect(accepted).toBeGreaterThan(KILLS)
        await settle(folder, bank.url)
      }),
    )
  })
})

/** What the file holds: accounts, and everything that is still on its way between them. */
interface Books {
  readonly accounts: readonly Account[]
  readonly payments: number
  readonly credits: readonly number[]
  readonly ticks: number
  readonly cancellable: number
}

/** Laws that hold in every moment, also in that of a kill. */
function checkBooks(
  { accounts, payments, credits, ticks, cancellable }: Books,
  seen: { begun: number; accepted: number },
) {
  const total = (pick: (account: Account) => number) => sum(accounts.map(pick))
  expect(total(({ balance }) => balance) + sum(credits)).toBe(accounts.length * START_BALANCE)
  expect(total(({ sent }) => sent)).toBe(total(({ received }) => received) + credits.length)
  expect(total(({ sent }) => sent)).toBe(total(({ ticked }) => ticked) + ticks)
  expect(cancellable).toBe(accounts.filter(({ sent }) => sent > 0).length)
  expect(total(({ sent }) => sent) + payments).toBeGreaterThanOrEqual(seen.accepted)
  expect(total(({ sent }) => sent) + payments).toBeLessThanOrEqual(seen.begun)
}

/** Without load, everything comes to its end: each tick has come that was due, and no message is left. */
async function settle(folder: string, url: string): Promise<void> {
  const engine = bankEngine(folder, url)
  engine.start()
  const isQuiet = () => {
    const { queued, delayed } = engine.counters()
    return queued === 0 && delayed === accountIds.length
  }
  await until('no message is left', isQuiet, 30_000)
  await engine.close()
  expect(readBooks(folder)).toMatchObject({ payments: 0, credits: [], ticks: 0, cancellable: accountIds.length })
}

async function runUntilKilled(folder: string, url: string): Promise<string> {
  const process = spawn(globalThis.process.execPath, [child, folder, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(process, 'close')
  let output = ''
  const working = Promise.withResolvers<void>()
  // Most of the kills meet work under way, some the start and what an earlier process has left.
  const sign = Math.random() < 0.8 ? '!' : '>'
  process.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    if (output.includes(sign)) working.resolve()
  })
  await Promise.race([working.promise, closed])
  await pause(Math.random() * 50)
  process.kill('SIGKILL')
  const [, signal] = await closed
  expect(signal).toBe('SIGKILL')
  return output
}

function readBooks(folder: string): Books {
  const database = new DatabaseSync(join(folder, 'functions.sqlite'))
  const blobs = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map(({ value }) => (value instanceof Uint8Array ? value : Buffer.alloc(0)))
  const messages = blobs('SELECT value FROM messages').map(unpacked)
  const delayed = blobs('SELECT value FROM delays').map(unpacked)
  const accounts = blobs('SELECT value FROM state_values').map(accountOf)
  database.close()
  const known = [...messages, ...delayed]
  return {
    accounts,
    payments: messages.filter(({ kind }) => kind === 'pay').length,
    credits: messages.flatMap((message) => (message.kind === 'credit' ? [message.amount] : [])),
    ticks: known.filter(({ kind }) => kind === 'tick').length,
    cancellable: delayed.filter(({ kind }) => kind === 'never').length,
  }
}

function count(text: string, mark: string): number {
  return text.split(mark).length - 1
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
