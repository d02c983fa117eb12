import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { freePort } from './free-ports.ts'
import { killProcess } from './kill-process.ts'
import { redisBinary } from './redis-binary.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** SIGKILL; resolves when the process is gone. What was kept is lost, unless `appendOnly` was asked for. */
  kill(): Promise<void>
  /** On the same port; resolves when it serves. */
  restart(): Promise<void>
  /** It accepts connections and answers nothing. */
  stop(): void
  continue(): void
  close(): Promise<void>
}

export interface RedisServerOptions {
  /** Survives a kill. */
  readonly appendOnly?: boolean
  /** Further arguments; `PORT` and `FOLDER` in them are replaced. */
  readonly args?: readonly string[]
  /** Lines of a file that the server may rewrite, as a sentinel does. */
  readonly configFile?: readonly string[]
}

const START_TIMEOUT_MS = 20_000

/** The server that somebody runs for the tests, or one of our own. */
export async function sharedRedis(): Promise<Pick<RedisServer, 'url' | 'close'>> {
  const url = process.env.TEST_REDIS_URL
  return url === undefined ? startRedis() : { url, close: async () => undefined }
}

/** A server of our own on a free loopback port; it dies with this process. */
export async function startRedis({
  appendOnly = false,
  args = [],
  configFile,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const [program, folder, port] = await Promise.all([
    redisBinary(),
    mkdtemp(join(tmpdir(), 'gateway-redis-')),
    freePort(),
  ])
  const file = join(folder, 'redis.conf')
  if (configFile !== undefined) await writeFile(file, `${configFile.join('\n')}\n`)
  const all = [
    ...(configFile === undefined ? [] : [file]),
    ...['--port', 'PORT', '--bind', '127.0.0.1', '--dir', 'FOLDER', '--save', ''],
    ...['--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'always'],
    ...args,
  ].map((arg) => arg.replaceAll('PORT', String(port)).replaceAll('FOLDER', folder))
  let child: ChildProcess | undefined
  const onExit = () => child?.kill('SIGKILL')
  process.on('exit', onExit)

  const start = async (): Promise<void> => {
    child = await startServer(program, all)
  }
  const kill = () => killProcess(child)
  const close = async (): Promise<void> => {
    await kill()
    process.off('exit', onExit)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await start()
  } catch (error) {
    await close()
    throw error
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    restart: start,
    stop: () => child?.kill('SIGSTOP'),
    continue: () => child?.kill('SIGCONT'),
    close,
  }
}

/** Resolves once it says that it serves. */
async function startServer(program: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const { promise, resolve, reject } = Promise.withResolvers<ChildProcess>()
  const timer = setTimeout(() => reject(new Error(`${program} did not start: ${said}`)), START_TIMEOUT_MS)
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-5_000)
    if (/Ready to accept connections|Sentinel ID is|Running mode=sentinel/.test(said)) resolve(child)
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`${program} ended with ${code}: ${said}`)))
  return promise.finally(() => clearTimeout(timer))
}
