import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { accountIds, packed } from './statefun-bank.ts'
import { bankEngine } from './statefun-bank-engine.ts'

/** Makes payments until it is killed; prints `?` before each, and `!` when it can't be lost any more. */
const [folder = '', url = ''] = process.argv.slice(2)
const engine = bankEngine(folder, url)
engine.start()
writeSync(1, '>')

async function payFrom(id: string): Promise<never> {
  for (let turn = 0; ; turn++) {
    const to = accountIds[(turn + id.charCodeAt(0)) % accountIds.length] ?? 'a'
    const target = { namespace: 'bank', type: 'account', id }
    const argument = packed({ kind: 'pay', amount: 1 + (turn % 7), to })
    writeSync(1, '?')
    const { kind } = await engine.accept({ target, caller: null, argument, origin: undefined })
    if (kind === 'acknowledged') writeSync(1, '!')
    // The queue is short, so that messages between functions are always under way.
    else await pause(2)
  }
}

await Promise.all(accountIds.map(payFrom))
