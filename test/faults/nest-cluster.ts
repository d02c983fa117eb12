import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { cachedBuild } from '../helpers/cached-build.ts'
import { runCommand } from '../helpers/run-command.ts'
import { DEADLINE_MS } from './caller.ts'
import { type Cluster, startReplicas } from './cluster.ts'
import { createTopics, type Ground } from './ground.ts'
import { accountWork } from './work.ts'
import { startWorkerModule } from './worker-process.ts'

const source = join(import.meta.dirname, 'nest')
const INSTALL_LIMIT_MS = 300_000
const requests = 'faults-nest'

/** NestJS's `ClientKafka`, put through the same. It knows neither idempotency keys nor `Prefer`, so it waits with every call. */
export async function startNestCluster(ground: Ground): Promise<Cluster> {
  const folder = await installNest()
  // It expects replies on the topic of this name.
  await createTopics(ground, [requests, `${requests}.reply`])
  const env = { FAULT_BROKERS: ground.kafka.brokers.join(','), FAULT_REQUESTS: requests }
  const runtime = await startWorkerModule(new URL('./nest-worker.ts', import.meta.url), env)
  return startReplicas(ground, {
    ...{ name: 'NestJS ClientKafka', runtime, work: accountWork, isPeer: true },
    program: {
      command: [process.execPath, join(folder, 'app.mjs')],
      env: { ...env, FAULT_DEADLINE_MS: String(DEADLINE_MS), NODE_ENV: 'production' },
      readyPath: '/ready',
    },
    close: async () => undefined,
  })
}

function installNest(): Promise<string> {
  const files = ['package.json', 'package-lock.json', 'app.mjs']
  return cachedBuild({
    name: 'faults-nest',
    inputs: files.map((file) => readFileSync(join(source, file), 'utf8')),
    build: async (folder) => {
      cpSync(source, folder, { recursive: true })
      await runCommand('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder], { timeoutMs: INSTALL_LIMIT_MS })
    },
  })
}
