import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import process from 'node:process'
import { freePorts } from '../../test/helpers/free-ports.ts'
import type { Start } from '../contender.ts'
import { startForeign } from '../foreign-process.ts'
import { foreignContender } from './foreign-contender.ts'
import { installPeer, peerSource } from './peer-folder.ts'

/** `@platformatic/kafka-hooks`: a route, a request topic and a response topic, by configuration alone. */
export const startKafkaHooks: Start = async (setup) => {
  const { kafka, topics } = setup
  const source = peerSource('kafka-hooks')
  const folder = await installPeer('kafka-hooks', { app: join(source, 'app.mjs'), lockedIn: source })
  const [port = 0] = await freePorts(1)
  // Its configuration must name a topic that it hands on to a web hook.
  const unused = `${topics.requestTopic}.unused-${randomUUID().slice(0, 8)}`
  await kafka?.createTopics({ name: unused })
  const env = {
    ...{ NODE_ENV: 'production', BENCH_PORT: String(port), BENCH_BROKERS: (kafka?.brokers ?? []).join(',') },
    ...{ BENCH_REQUESTS: topics.requestTopic, BENCH_REPLIES: topics.replyTopic, BENCH_UNUSED: unused },
  }
  const hooks = startForeign({ command: process.execPath, args: [join(folder, 'app.mjs')], cwd: folder, env })
  return foreignContender(setup, { processes: { hooks }, port })
}
