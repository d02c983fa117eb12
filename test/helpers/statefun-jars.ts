import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedBuild } from './cached-build.ts'
import { javaVersion } from './kafka-jars.ts'
import { runCommand } from './run-command.ts'

const STATEFUN_RUNTIME = fileURLToPath(new URL('../runtimes/statefun/', import.meta.url))

let reason: string | undefined | null = null

/** Why no StateFun cluster can be had here; `undefined` where one can. In CI nothing may be missing, so there the tests run and fail. */
export function statefunUnavailable(): string | undefined {
  if (reason === null) reason = missingPart()
  return process.env.CI === undefined ? reason : undefined
}

function missingPart(): string | undefined {
  // Flink 1.16 is not made for newer ones.
  if (![11, 17].includes(javaVersion())) return 'needs Java 11 or 17 for StateFun'
  if (spawnSync('javac', ['-version']).status !== 0) return 'needs a JDK (javac) for StateFun'
  return spawnSync('mvn', ['-v']).status === 0 ? undefined : 'needs Maven to fetch StateFun'
}

/** The class path of `Runner`: 180 MB that Maven fetches once, and the compiled class. */
export async function statefunClassPath(): Promise<string> {
  const [pom, runner] = [join(STATEFUN_RUNTIME, 'pom.xml'), join(STATEFUN_RUNTIME, 'Runner.java')]
  const folder = await cachedBuild({
    name: 'statefun-jars',
    inputs: [pom, runner].map((file) => readFileSync(file, 'utf8')),
    build: async (path) => {
      const [jars, classes] = [join(path, 'jars'), join(path, 'classes')]
      mkdirSync(classes, { recursive: true })
      const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
      await runCommand('mvn', ['-B', '-q', '-f', pom, ...goal], { timeoutMs: 300_000 })
      await runCommand('javac', ['-cp', join(jars, '*'), '-d', classes, runner], { timeoutMs: 120_000 })
      cpSync(join(STATEFUN_RUNTIME, 'log4j2.properties'), join(classes, 'log4j2.properties'))
    },
  })
  return [join(folder, 'classes'), join(folder, 'jars', '*')].join(':')
}
