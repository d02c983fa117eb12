import { writeSync } from 'node:fs'
import { createCaller } from '../conformance/caller.ts'
import { embeddedRuntime } from '../conformance/embedded-runtime.ts'
import { Account, accounts } from './bank.ts'

/** Moves money until it is killed, and prints a line for every answer: the account and its number of transfers. */
const [dataFolder = ''] = process.argv.slice(2)
const { adapter, entities } = embeddedRuntime({ definitions: [Account], dataFolder })
await adapter.start()
const caller = createCaller({ adapter, entities })
for (const id of accounts) await caller.create('Account', { id })

async function move(from: string): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const to = accounts[turn % accounts.length] ?? 'a'
    if (to === from) continue
    const outcome = await caller.call('Account', from, 'transfer', { amount: 1 + (turn % 7), to })
    if (outcome.kind === 'returned') writeSync(1, `${from} ${outcome.value}\n`)
    else throw new Error(JSON.stringify(outcome))
  }
}

await Promise.all(accounts.map(move))
