import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cachedBuild } from '../../test/helpers/cached-build.ts'
import { freePorts } from '../../test/helpers/free-ports.ts'
import { runCommand } from '../../test/helpers/run-command.ts'
import {
  missingParts,
  missingProgram,
  pythonCommand,
  pythonEnvironment,
  RUNTIMES,
} from '../../test/helpers/stateflow-sources.ts'
import type { Start } from '../contender.ts'
import { startForeign } from '../foreign-process.ts'
import { itemOf, userOf } from '../work.ts'
import { foreignContender, NotHere } from './foreign-contender.ts'
import { peerSource } from './peer-folder.ts'

const INSTALL_LIMIT_MS = 900_000

/** StateFlow's FastAPI client, from a checkout of it. Its topics have fixed names, and it speaks pickle. */
export const startFastapi: Start = async (setup) => {
  const home = process.env.STATEFLOW_HOME
  if (home === undefined || home === '') throw new NotHere('STATEFLOW_HOME is not set')
  const isRight = (output: string) => output.startsWith('True')
  const version = ['-c', 'import sys; print(sys.version_info >= (3, 11))']
  const missing = missingParts([], [() => missingProgram(pythonCommand(), version, isRight)])
  if (missing !== undefined) throw new NotHere(missing)
  const python = await environment()
  const [port = 0] = await freePorts(1)
  const env = {
    ...pythonEnvironment([home]),
    ...{ BENCH_BROKERS: (setup.kafka?.brokers ?? []).join(','), BENCH_PORT: String(port) },
  }
  const uvicorn = startForeign({ command: python, args: [join(peerSource('fastapi'), 'app.py')], env })
  const dress = {
    path: (index: number) => `/stateflow/global/User/buy_item?key=${userOf(index)}&amount=1&item=${itemOf(index)}`,
    body: () => undefined,
  }
  return foreignContender(setup, { processes: { uvicorn }, port, dress })
}

async function environment(): Promise<string> {
  const files = [join(RUNTIMES, 'requirements.txt'), join(peerSource('fastapi'), 'requirements.txt')]
  const folder = await cachedBuild({
    name: 'bench-fastapi',
    inputs: [pythonCommand(), ...files.map((file) => readFileSync(file, 'utf8'))],
    build: async (path) => {
      await runCommand(pythonCommand(), ['-m', 'venv', path], { timeoutMs: 120_000 })
      const args = ['-m', 'pip', 'install', '-q', ...files.flatMap((file) => ['-r', file])]
      await runCommand(join(path, 'bin', 'python'), args, { timeoutMs: INSTALL_LIMIT_MS })
    },
  })
  return join(folder, 'bin', 'python')
}
