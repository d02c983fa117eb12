import { cpSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cachedBuild } from '../../test/helpers/cached-build.ts'
import { freePorts } from '../../test/helpers/free-ports.ts'
import { javaCommand } from '../../test/helpers/kafka-jars.ts'
import { runCommand } from '../../test/helpers/run-command.ts'
import { missingProgram } from '../../test/helpers/stateflow-sources.ts'
import type { Start } from '../contender.ts'
import { startForeign } from '../foreign-process.ts'
import { foreignContender, NotHere } from './foreign-contender.ts'
import { peerSource } from './peer-folder.ts'

const BUILD_LIMIT_MS = 600_000

/** Spring Boot's `ReplyingKafkaTemplate` behind a controller that answers asynchronously. */
export const startSpring: Start = async (setup) => {
  const jar = await buildJar()
  const [port = 0] = await freePorts(1)
  const settings = {
    ...{ 'server.port': port, 'bench.brokers': (setup.kafka?.brokers ?? []).join(',') },
    ...{ 'bench.requests': setup.topics.requestTopic, 'bench.replies': setup.topics.replyTopic },
  }
  const args = [
    '-Xms256m',
    '-Xmx512m',
    '-jar',
    jar,
    ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
  ]
  const java = startForeign({ command: javaCommand(), args })
  return foreignContender(setup, { processes: { java }, port })
}

async function buildJar(): Promise<string> {
  const missing = missingProgram(javaCommand(), ['-version'], isJava17) ?? missingProgram('mvn', ['-v'])
  if (missing !== undefined) throw new NotHere(missing)
  const source = peerSource('spring')
  const files = globSync('{pom.xml,src/**/*.*}', { cwd: source }).sort()
  const folder = await cachedBuild({
    name: 'bench-spring',
    inputs: files.map((file) => readFileSync(join(source, file), 'utf8')),
    build: async (into) => {
      cpSync(source, into, { recursive: true })
      await runCommand('mvn', ['-q', '-B', '-ntp', 'package'], { cwd: into, timeoutMs: BUILD_LIMIT_MS })
    },
  })
  return join(folder, 'target', 'bench-spring.jar')
}

function isJava17(output: string): boolean {
  return Number(/version "(\d+)/.exec(output)?.[1] ?? 0) >= 17
}
