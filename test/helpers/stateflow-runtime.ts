import { join } from 'node:path'
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

export interface StateflowOptions {
  readonly brokers: string
  /** StateFlow as it is answers in pickle; for json its sources are patched. */
  readonly serializer: 'pickle' | 'json'
  readonly routing: 'dataflow' | 'statefun'
  /** The Python module with the entities; default: StateFlow’s own demo. */
  readonly module?: string
  /** A folder to import the module from. */
  readonly modulePath?: string
  /** `kafka`: what a split method does next travels through the topic `internal`, as in Flink. */
  readonly hops?: 'inside' | 'kafka'
}

/**
 * StateFlow’s own operators on a broker, without Flink. Resolves when every record that is sent from now on is taken.
 * A record that ends a Flink job ends this process too: see `alive`.
 */
export async function startStateflow(options: StateflowOptions): Promise<RuntimeProcess> {
  const { brokers, serializer, routing, module = 'demo_common', modulePath, hops = 'inside' } = options
  const python = await virtualEnvironment('stateflow-venv', 'requirements.txt')
  const sources =
    serializer === 'json'
      ? await patchedSources('stateflow-patched', requirePath('STATEFLOW_JSON_PATCH'))
      : requirePath('STATEFLOW_HOME')
  const flags = { brokers, serializer, routing, module, hops }
  return startRuntimeProcess({
    command: python,
    args: [join(RUNTIMES, 'runner.py'), ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])],
    env: pythonEnvironment([modulePath, sources]),
    readyWithinMs: 60_000,
  })
}

/** Why `startStateflow` can’t work here, for `describe.skipIf`; `undefined` when it can. */
export function stateflowUnavailable(serializer: StateflowOptions['serializer'] = 'pickle'): string | undefined {
  return missingParts(serializer === 'json' ? ['STATEFLOW_JSON_PATCH'] : [], [
    () =>
      missingProgram(pythonCommand(), ['-c', 'import sys; print(sys.version_info >= (3, 11))'], (output) =>
        output.startsWith('True'),
      ),
    () => (serializer === 'json' ? missingProgram('patch', ['--version']) : undefined),
  ])
}
