import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CACHE, cachedBuild, makeWritable } from './cached-build.ts'
import { runCommand } from './run-command.ts'

/** StateFlow's sources and a Python to run them with, from environment variables; none of it is part of the project. */

export const RUNTIMES = fileURLToPath(new URL('../runtimes/stateflow/', import.meta.url))

export function pythonCommand(): string {
  return process.env.PYTHON || 'python3'
}

/** Why a test that needs `variables` (paths) can't run; with CI set, missing parts of a given STATEFLOW_HOME throw. */
export function missingParts(variables: readonly string[], checks: readonly (() => string | undefined)[]) {
  const home = process.env.STATEFLOW_HOME
  if (!home) return 'STATEFLOW_HOME (a checkout of StateFlow) is not set'
  const reason = [
    () => (existsSync(join(home, 'stateflow', 'core.py')) ? undefined : `STATEFLOW_HOME=${home} holds no StateFlow`),
    ...variables.map((name) => () => missingPath(name)),
    ...checks,
  ]
    .map((check) => check())
    .find((found) => found !== undefined)
  if (reason !== undefined && process.env.CI) throw new Error(`STATEFLOW_HOME is set, but ${reason}.`)
  return reason
}

function missingPath(name: string): string | undefined {
  const path = process.env[name]
  if (!path) return `${name} is not set`
  return existsSync(path) ? undefined : `${name}=${path} does not exist`
}

/** `undefined` when the program runs and what it prints is accepted. */
export function missingProgram(
  command: string,
  args: readonly string[],
  accepts: (output: string) => boolean = () => true,
): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  if (error !== undefined || status !== 0) return `${command} can't be run`
  return accepts(stdout + stderr)
    ? undefined
    : `${command} is of the wrong version: ${(stdout + stderr).split('\n')[0]}`
}

export function requirePath(name: string): string {
  const path = process.env[name]
  if (!path) throw new Error(`${name} is not set.`)
  return path
}

/** A writable copy of STATEFLOW_HOME with a patch (`patch -p1`) applied. */
export function patchedSources(name: string, patchFile: string): Promise<string> {
  const home = requirePath('STATEFLOW_HOME')
  return cachedBuild({
    name,
    inputs: [home, readFileSync(patchFile, 'utf8')],
    build: async (folder) => {
      const skip = new Set(['.git', '__pycache__'])
      cpSync(home, folder, { recursive: true, filter: (path) => !skip.has(basename(path)) })
      makeWritable(folder)
      await runCommand('patch', ['-p1', '-s', '-i', patchFile], { cwd: folder, timeoutMs: 30_000 })
    },
  })
}

/** A virtual environment with a requirements file’s packages. @returns its Python */
export async function virtualEnvironment(name: string, requirements: string): Promise<string> {
  const file = join(RUNTIMES, requirements)
  const folder = await cachedBuild({
    name,
    inputs: [pythonCommand(), readFileSync(file, 'utf8')],
    build: async (path) => {
      const python = join(path, 'bin', 'python')
      await runCommand(pythonCommand(), ['-m', 'venv', path], { timeoutMs: 120_000 })
      const pinned = readFileSync(file, 'utf8').match(/^(setuptools|wheel)\b.*$/gm) ?? []
      // Packages that are built from source use the environment’s own setuptools, which is therefore there first.
      if (pinned.length > 0) await runCommand(python, ['-m', 'pip', 'install', '-q', ...pinned], { timeoutMs: 300_000 })
      await runCommand(python, ['-m', 'pip', 'install', '-q', '-r', file], { timeoutMs: 900_000 })
    },
  })
  return join(folder, 'bin', 'python')
}

/** What each Python process gets: where to import from, and a place for compiled files outside of the sources. */
export function pythonEnvironment(folders: readonly (string | undefined)[]): NodeJS.ProcessEnv {
  return {
    PYTHONPATH: folders.filter((folder) => folder !== undefined).join(':'),
    PYTHONPYCACHEPREFIX: join(CACHE, 'pycache'),
    PYTHONWARNINGS: 'ignore',
    PYTHONUNBUFFERED: '1',
  }
}
