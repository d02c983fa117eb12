import { join } from 'node:path'
import process from 'node:process'
import { freePorts } from '../../test/helpers/free-ports.ts'
import type { Start } from '../contender.ts'
import { startForeign } from '../foreign-process.ts'
import { foreignContender } from './foreign-contender.ts'
import { installPeer, peerSource } from './peer-folder.ts'

/** The packages are those of the fault matrix, so that there is one lock file for both. */
const lockedIn = join(import.meta.dirname, '..', '..', 'test', 'faults', 'nest')

/** NestJS's `ClientKafka` on the Fastify adapter. */
export const startNest: Start = async (setup) => {
  const folder = await installPeer('nest', { app: join(peerSource('nest'), 'app.mjs'), lockedIn })
  const [port = 0] = await freePorts(1)
  const env = {
    ...{ NODE_ENV: 'production', BENCH_PORT: String(port), BENCH_REQUESTS: setup.topics.requestTopic },
    BENCH_BROKERS: (setup.kafka?.brokers ?? []).join(','),
  }
  const nest = startForeign({ command: process.execPath, args: [join(folder, 'app.mjs')], env })
  return foreignContender(setup, { processes: { nest }, port })
}
