import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { freePorts } from '../../test/helpers/free-ports.ts'
import { createTemporaryFolder } from '../../test/helpers/temporary-folder.ts'
import type { Start } from '../contender.ts'
import { type ForeignProcess, startForeign } from '../foreign-process.ts'
import { userOf } from '../work.ts'
import { foreignContender, NotHere } from './foreign-contender.ts'
import { installPeer, peerSource } from './peer-folder.ts'

const READY_TIMEOUT_MS = 60_000
const REGISTER_TIMEOUT_MS = 10_000

/** Restate's server with one node, and a virtual object of its SDK. It keeps calls in a log of its own, so Kafka and our worker have no part. */
export const startRestate: Start = async (setup) => {
  const source = peerSource('restate')
  const folder = await installPeer('restate', { app: join(source, 'app.mjs'), lockedIn: source })
  const program = join(
    folder,
    `node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
  )
  if (!existsSync(program)) throw new NotHere(`Restate has no server for ${process.platform} ${process.arch}`)
  const [port = 0, admin = 0, node = 0, servicePort = 0] = await freePorts(4)
  const data = createTemporaryFolder()
  const config = data.write('restate.toml', configOf({ port, admin, node, folder: data.path }))
  const env = { NODE_ENV: 'production', BENCH_PORT: String(servicePort) }
  const service = startForeign({ command: process.execPath, args: [join(folder, 'app.mjs')], env })
  const server = startForeign({ command: program, args: ['-c', config, '--no-logo'], env: { DO_NOT_TRACK: '1' } })
  const dress = { path: (index: number) => `/User/${userOf(index)}/buy_item` }
  try {
    await register(server, { admin, servicePort })
    const contender = await foreignContender(setup, {
      processes: { server, service },
      port,
      dress,
      withoutWorker: true,
    })
    const close = async () => {
      await contender.close()
      data.close()
    }
    return { ...contender, close }
  } catch (error) {
    await Promise.all([server.close(), service.close()])
    data.close()
    throw error
  }
}

interface Ports {
  readonly admin: number
  readonly servicePort: number
}

async function register(server: ForeignProcess, { admin, servicePort }: Ports): Promise<void> {
  const ask = async (path: string, init: RequestInit = {}) => {
    const signal = AbortSignal.timeout(REGISTER_TIMEOUT_MS)
    return (await fetch(`http://127.0.0.1:${admin}/${path}`, { ...init, signal })).ok
  }
  const body = JSON.stringify({ uri: `http://127.0.0.1:${servicePort}/`, force: true })
  await server.until(() => ask('health'), READY_TIMEOUT_MS)
  const headers = { 'content-type': 'application/json' }
  await server.until(() => ask('deployments', { method: 'POST', headers, body }), READY_TIMEOUT_MS)
}

interface Place {
  readonly port: number
  readonly admin: number
  readonly node: number
  readonly folder: string
}

/** All else at its default. */
function configOf({ port, admin, node, folder }: Place): string {
  return `
cluster-name = "bench"
node-name = "one"
base-dir = ${JSON.stringify(join(folder, 'data'))}
bind-ip = "127.0.0.1"
bind-port = ${node}
advertised-host = "127.0.0.1"
listen-mode = "tcp"
log-filter = "warn"
disable-telemetry = true

[admin]
bind-port = ${admin}

[ingress]
bind-port = ${port}
`
}
