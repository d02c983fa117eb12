import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../test/helpers/free-ports.ts'
import { createTemporaryFolder } from '../../test/helpers/temporary-folder.ts'
import type { ContenderSetup, Start } from '../contender.ts'
import { startForeign } from '../foreign-process.ts'
import { foreignContender, NotHere } from './foreign-contender.ts'

/**
 * Zilla's `http-kafka` binding. No registry has its modules, so it runs only where somebody has built it: `ZILLA_HOME` is a folder
 * with the launcher `zilla` of a release in it.
 */
export const startZilla: Start = async (setup) => {
  const home = process.env.ZILLA_HOME
  if (home === undefined || home === '') throw new NotHere('ZILLA_HOME is not set, and no registry has Zilla built')
  const launcher = join(home, 'zilla')
  if (!existsSync(launcher)) throw new NotHere(`there is no zilla in ZILLA_HOME=${home}`)
  const [port = 0] = await freePorts(1)
  const folder = createTemporaryFolder()
  const config = folder.write('zilla.yaml', configOf(port, setup))
  const zilla = startForeign({
    command: launcher,
    args: ['start', '--config', config, '--workers', '1'],
    cwd: folder.path,
  })
  const contender = await foreignContender(setup, { processes: { zilla }, port })
  const close = async () => {
    await contender.close()
    folder.close()
  }
  return { ...contender, close }
}

/** The key comes from the path, in Zilla's own notation. */
const KEY = ['$', '{params.key}'].join('')

/** YAML is JSON as well. */
function configOf(port: number, { kafka, topics }: ContenderSetup): string {
  const produce = { capability: 'produce', topic: topics.requestTopic, acks: 'in_sync_replicas', key: KEY }
  const route = {
    when: [{ method: 'POST', path: '/user/{key}/buy_item' }],
    exit: 'cache_client',
    with: { ...produce, 'reply-to': topics.replyTopic },
  }
  const bindings = {
    tcp_server: { type: 'tcp', kind: 'server', options: { host: '127.0.0.1', port }, exit: 'http_server' },
    http_server: { type: 'http', kind: 'server', exit: 'http_kafka' },
    http_kafka: { type: 'http-kafka', kind: 'proxy', routes: [route] },
    cache_client: { type: 'kafka', kind: 'cache_client', exit: 'cache_server' },
    cache_server: {
      type: 'kafka',
      kind: 'cache_server',
      options: { bootstrap: [topics.replyTopic] },
      exit: 'kafka_client',
    },
    kafka_client: { type: 'kafka', kind: 'client', options: { servers: kafka?.brokers ?? [] }, exit: 'tcp_client' },
    tcp_client: { type: 'tcp', kind: 'client' },
  }
  return JSON.stringify({ name: 'bench', bindings })
}
