import type { Contender, ContenderSetup } from '../contender.ts'
import type { ForeignProcess } from '../foreign-process.ts'
import { openHttpLoad } from '../load.ts'
import { argsOf, type Dress, EXPECTED_BODY, httpRequests, userOf } from '../work.ts'

/** Why a peer can't run here, in words for the report. */
export class NotHere extends Error {
  override readonly name = 'NotHere'
}

export interface Foreign {
  /** By name; the first one is the one that is asked. */
  readonly processes: Readonly<Record<string, ForeignProcess>>
  readonly port: number
  readonly dress?: Dress
  /** Of it, our worker knows nothing. */
  readonly withoutWorker?: boolean
}

const READY_TIMEOUT_MS = 90_000
const PROBE_TIMEOUT_MS = 3_000

/** A contender of other people's programs. Ready once a call is answered as it should be: a group may take seconds to give out its partitions. */
export async function foreignContender(setup: ContenderSetup, foreign: Foreign): Promise<Contender> {
  const { port, dress = {}, withoutWorker = false } = foreign
  const all = Object.entries(foreign.processes)
  const close = async () => void (await Promise.all(all.map(([, one]) => one.close())))
  try {
    if (!withoutWorker) await setup.serve()
    await all[0]?.[1].until(() => answers(port, dress), READY_TIMEOUT_MS)
  } catch (error) {
    await close()
    throw error
  }
  const reach = { ports: [port] as const, requests: httpRequests(`127.0.0.1:${port}`, dress) }
  const usages = () => all.map(([name, one]) => ({ process: name, ...one.usage() }))
  return {
    ...{ name: setup.name, topics: withoutWorker ? undefined : setup.topics, reach, close },
    async usage() {
      const each = usages()
      const sum = (pick: (one: (typeof each)[number]) => number) => each.reduce((total, one) => total + pick(one), 0)
      return { cpuMicros: sum(({ cpuMicros }) => cpuMicros), rssBytes: sum(({ rssBytes }) => rssBytes) }
    },
    ...(all.length > 1 ? { processes: usages } : {}),
    open: (connections) => openHttpLoad({ ...reach, connections }),
  }
}

async function answers(port: number, { path, body, headers = [] }: Dress): Promise<boolean> {
  const content = body === undefined ? argsOf(0) : body(0)
  const given = Object.fromEntries(headers.map((line) => line.split(': ', 2) as [string, string]))
  const answer = await fetch(`http://127.0.0.1:${port}${path?.(0) ?? `/user/${userOf(0)}/buy_item`}`, {
    ...{ method: 'POST', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    headers: { ...given, ...(content === undefined ? {} : { 'content-type': 'application/json' }) },
  })
  return answer.ok && (await answer.text()) === EXPECTED_BODY
}
