import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE, cachedBuild } from './cached-build.ts'
import { shortLivedJvm } from './kafka-jars.ts'
import { runCommand } from './run-command.ts'
import { type RuntimeProcess, startRuntimeProcess } from './runtime-process.ts'
import {
  missingParts,
  missingProgram,
  patchedSources,
  pythonCommand,
  pythonEnvironment,
  RUNTIMES,
  requirePath,
  virtualEnvironment,
} from './stateflow-sources.ts'

export interface PyflinkOptions {
  readonly brokers: string
  readonly module?: string
  readonly modulePath?: string
  /** More settings of Flink, e.g. `execution.buffer-timeout.interval`. */
  readonly configuration?: Readonly<Record<string, string>>
}

/**
 * StateFlow’s own FlinkRuntime on PyFlink 1.20 with its default serializer, pickle. Resolves when the job has answered
 * a ping, 20 to 60 seconds after the start; the first time, PyFlink is downloaded (230 MB).
 */
export async function startPyflink(options: PyflinkOptions): Promise<RuntimeProcess> {
  const { brokers, module = 'demo_common', modulePath, configuration = {} } = options
  const python = await virtualEnvironment('stateflow-flink-venv', 'requirements-flink.txt')
  const jars = await connectorJars()
  const sources = await patchedSources('stateflow-port', requirePath('STATEFLOW_PORT_PATCH'))
  const temporary = join(CACHE, 'flink-tmp')
  mkdirSync(temporary, { recursive: true })
  return startRuntimeProcess({
    command: python,
    args: [
      join(RUNTIMES, 'flink_runtime.py'),
      ...['--brokers', brokers, '--module', module],
      ...Object.entries({ 'io.tmp.dirs': temporary, ...configuration }).flatMap((pair) => ['--set', pair.join('=')]),
    ],
    env: {
      ...pythonEnvironment([modulePath, sources]),
      TMPDIR: temporary,
      STATEFLOW_FLINK_JARS: jars.join(':'),
      JVM_ARGS: shortLivedJvm.join(' '),
    },
    // FlinkRuntime looks for bin/flink-kafka-1.8.jar in its working folder.
    cwd: sources,
    readyWithinMs: 180_000,
  })
}

/** Why `startPyflink` can’t work here; `undefined` when it can. */
export function pyflinkUnavailable(): string | undefined {
  return missingParts(
    ['STATEFLOW_PORT_PATCH'],
    [
      () =>
        missingProgram(pythonCommand(), ['-c', 'import sys; print(sys.version_info[:2] == (3, 11))'], (output) =>
          output.startsWith('True'),
        ),
      () => missingProgram('java', ['-version'], (output) => /version "1[17]\./.test(output)),
      () => missingProgram('mvn', ['--version']),
      () => missingProgram('patch', ['--version']),
    ],
  )
}

async function connectorJars(): Promise<readonly string[]> {
  const pom = join(RUNTIMES, 'pom.xml')
  const folder = await cachedBuild({
    name: 'stateflow-flink-jars',
    inputs: [readFileSync(pom, 'utf8')],
    build: async (path) => {
      const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${path}`]
      await runCommand('mvn', ['-B', '-q', '-f', pom, ...goal], { timeoutMs: 300_000 })
    },
  })
  return readdirSync(folder).map((jar) => join(folder, jar))
}
