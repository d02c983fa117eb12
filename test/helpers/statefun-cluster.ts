import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { glob, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { javaCommand, shortLivedJvm } from './kafka-jars.ts'
import { isRunning, killProcess } from './kill-process.ts'
import { statefunClassPath } from './statefun-jars.ts'
import { until } from './until.ts'

export interface StatefunOptions {
  /** The text of `module.yaml`. Its topics exist already, and its endpoints listen. */
  readonly module: string
  readonly checkpointEveryMs?: number
  /** More settings of Flink. */
  readonly configuration?: Readonly<Record<string, string>>
}

/** StateFun on Flink, all in one JVM. */
export interface StatefunCluster {
  /** How often the job of the JVM that runs now has failed and begun anew. */
  restarts(): Promise<number>
  /** Checkpoints that have been completed since the first start. */
  checkpoints(): Promise<number>
  alive(): boolean
  /** The end of the log, for the message of a failed test. */
  log(): Promise<string>
  /** SIGKILL; resolves when the JVM is gone. */
  kill(): Promise<void>
  /** A new JVM with the state of the last completed checkpoint; resolves when the job runs. */
  restore(): Promise<void>
  close(): Promise<void>
}

const START_WITHIN_MS = 120_000

/** Resolves when the job runs, 5 to 10 seconds after the start. The JVM ends with this process. */
export async function startStatefunCluster(options: StatefunOptions): Promise<StatefunCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-statefun-'))
  const cluster = new ClusterProcess({ folder, classPath: await statefunClassPath(), options })
  const close = async () => {
    await cluster.kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await mkdir(join(folder, 'checkpoints'))
    await writeFile(join(folder, 'module.yaml'), options.module)
    await cluster.start()
  } catch (error) {
    await close()
    throw error
  }
  return {
    restarts: async () => occurrences(await cluster.log(), 'switched from state RUNNING to RESTARTING'),
    checkpoints: async () => (await completedCheckpoints(folder)).total,
    alive: () => cluster.alive(),
    log: async () => (await cluster.log()).slice(-10_000),
    kill: () => cluster.kill(),
    restore: async () => {
      const { newest } = await completedCheckpoints(folder)
      if (newest === undefined) throw new Error('no checkpoint has been completed')
      await cluster.start({ 'execution.savepoint.path': pathToFileURL(newest).href })
    },
    close,
  }
}

interface ClusterPlace {
  readonly folder: string
  readonly classPath: string
  readonly options: StatefunOptions
}

class ClusterProcess {
  readonly #place: ClusterPlace
  readonly #log: string
  #child: ChildProcess | undefined
  readonly #onExit = () => this.#child?.kill('SIGKILL')

  constructor(place: ClusterPlace) {
    this.#place = place
    this.#log = join(place.folder, 'cluster.log')
  }

  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { folder, classPath, options } = this.#place
    const settings = { ...flinkSettings(folder, options.checkpointEveryMs), ...options.configuration, ...more }
    const out = openSync(this.#log, 'w')
    const child = spawn(
      javaCommand(),
      [
        ...jvmOptions(folder),
        ...['-cp', classPath, 'Runner', join(folder, 'module.yaml')],
        ...Object.entries(settings).map((pair) => pair.join('=')),
      ],
      // Its stdin is ours: it ends with us, however we end.
      { stdio: ['pipe', out, out] },
    )
    closeSync(out)
    this.#child = child
    process.on('exit', this.#onExit)
    let failure = ''
    child.once('error', (error) => {
      failure = String(error)
    })
    const started = async () => failure !== '' || !this.alive() || jobRuns(await this.log())
    await until('the StateFun job runs', started, START_WITHIN_MS).catch((error) => {
      failure = String(error)
    })
    if (failure === '' && this.alive()) return
    throw new Error(`the StateFun cluster did not start: ${failure}\n${(await this.log()).slice(-5_000)}`)
  }

  alive(): boolean {
    return this.#child !== undefined && isRunning(this.#child)
  }

  async kill(): Promise<void> {
    process.off('exit', this.#onExit)
    await killProcess(this.#child)
  }

  log(): Promise<string> {
    return readFile(this.#log, 'utf8').catch(() => '')
  }
}

/** What Flink 1.16 reaches into by reflection. */
const opened =
  'lang lang.invoke lang.reflect util net io nio text time util.concurrent util.concurrent.atomic util.concurrent.locks'

function jvmOptions(folder: string): readonly string[] {
  return [
    ...['-Xmx512m', '-XX:MaxMetaspaceSize=256m', ...shortLivedJvm],
    `-Djava.io.tmpdir=${folder}`,
    ...opened.split(' ').map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
    '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
  ]
}

function flinkSettings(folder: string, checkpointEveryMs = 3_000): Readonly<Record<string, string>> {
  return {
    // Otherwise a message waits up to 100 ms for others on its way from the ingress to the functions.
    'execution.buffer-timeout': '0 ms',
    'execution.checkpointing.interval': `${checkpointEveryMs} ms`,
    'state.checkpoints.dir': pathToFileURL(join(folder, 'checkpoints')).href,
    'io.tmp.dirs': folder,
    'restart-strategy': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': '2147483647',
    'restart-strategy.fixed-delay.delay': '500 ms',
    'taskmanager.memory.network.min': '8m',
    'taskmanager.memory.network.max': '8m',
    'taskmanager.memory.managed.size': '32m',
  }
}

/** Every task of the job's last start has begun to run. */
function jobRuns(log: string): boolean {
  const deployed = occurrences(log, 'switched from SCHEDULED to DEPLOYING')
  return deployed > 0 && occurrences(log, 'switched from INITIALIZING to RUNNING') === deployed
}

function occurrences(text: string, what: string): number {
  return text.split(what).length - 1
}

/** Flink writes a checkpoint’s `_metadata` last. Each start of the job has a folder of its own. */
async function completedCheckpoints(
  folder: string,
): Promise<{ readonly newest: string | undefined; readonly total: number }> {
  let newest: { readonly path: string; readonly writtenAt: number } | undefined
  let total = 0
  for await (const file of glob(join(folder, 'checkpoints', '*', 'chk-*', '_metadata'))) {
    const path = dirname(file)
    const writtenAt = (await stat(file).catch(() => undefined))?.mtimeMs ?? 0
    total = Math.max(total, Number(/chk-(\d+)$/.exec(path)?.[1]))
    if (newest === undefined || writtenAt > newest.writtenAt) newest = { path, writtenAt }
  }
  return { newest: newest?.path, total }
}
