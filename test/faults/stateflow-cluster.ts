import { join } from 'node:path'
import { startStateflow } from '../helpers/stateflow-runtime.ts'
import { type Cluster, gatewayProgram, startReplicas } from './cluster.ts'
import { exchange } from './exchange.ts'
import { createTopics, type Ground } from './ground.ts'
import { inParallel } from './in-parallel.ts'
import type { Runtime } from './runtime.ts'
import type { Execution, Work } from './work.ts'

const demoMetadata = join(import.meta.dirname, '../golden/stateflow/demo.metadata.json')
/** `User.__init__` of StateFlow's demo. */
const FIRST_BALANCE = 1
const QUESTION_LIMIT_MS = 10_000
/** Milliseconds after which a question that no replica answers is given up: the row could not be judged. */
const PERSISTENCE_MS = 60_000
const AT_ONCE = 32

/** Each call is the only one on a user of its own, so that the user's balance says how often it was executed. */
const userWork: Work = {
  pathOf: ({ name }) => `/user/${name}/update_balance`,
  bodyOf: () => JSON.stringify({ x: 1 }),
}

/** The gateways before StateFlow's own operators. */
export async function startStateflowCluster(ground: Ground): Promise<Cluster> {
  const brokers = ground.kafka.brokers.join(',')
  // Left to itself the runtime makes them on one broker.
  await createTopics(ground, ['client_request', 'internal', 'client_reply'])
  const stateflow = await startStateflow({ brokers, serializer: 'json', routing: 'dataflow' })
  const urls: string[] = []
  const cluster = await startReplicas(ground, {
    name: 'stateflow-gateway before StateFlow’s own operators',
    runtime: observedRuntime(urls, stateflow.close),
    work: userWork,
    isPeer: false,
    program: gatewayProgram(ground, { GATEWAY_METADATA: demoMetadata }),
    close: async () => undefined,
  })
  urls.push(...cluster.urls)
  return cluster
}

/** It can't be told anything; what it did is read from its state. */
function observedRuntime(urls: readonly string[], close: () => Promise<void>): Runtime {
  const refuse = () => {
    throw new Error('StateFlow does as it likes')
  }
  return {
    async prepare(calls) {
      await inParallel(calls, AT_ONCE, async (username) => {
        const answer = await ask(urls, { method: 'POST', path: '/user', body: JSON.stringify({ username }) })
        if (answer.status !== 201) throw new Error(`no user ${username}: ${answer.status}`)
      })
    },
    behave: async () => undefined,
    async account(calls) {
      const executions: Execution[] = []
      await inParallel(calls, AT_ONCE, async (call) => {
        const { body } = await ask(urls, { method: 'GET', path: `/user/${call}/balance` })
        // An answer is 204 without a body.
        for (let times = FIRST_BALANCE; times < Number(body); times++)
          executions.push({ call, value: '', replied: true })
      })
      return { executions, misdeeds: 0 }
    },
    forget: async () => undefined,
    stop: refuse,
    resume: () => undefined,
    close,
  }
}

interface Question {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

async function ask(urls: readonly string[], { path, ...question }: Question) {
  const giveUpAt = Date.now() + PERSISTENCE_MS
  for (let turn = 0; Date.now() < giveUpAt; turn++) {
    const url = urls[turn % urls.length] ?? ''
    const answer = await exchange({ ...question, url: `${url}${path}`, limitMs: QUESTION_LIMIT_MS })
    if (answer.kind === 'answer' && answer.status < 300) return answer
  }
  throw new Error(`no answer to ${question.method} ${path}`)
}
