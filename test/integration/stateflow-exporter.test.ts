import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../helpers/run-command.ts'
import { stateflowUnavailable } from '../helpers/stateflow-runtime.ts'
import { pythonEnvironment, requirePath, virtualEnvironment } from '../helpers/stateflow-sources.ts'

const reason = stateflowUnavailable()
const tests = fileURLToPath(new URL('../../exporters/stateflow/tests/', import.meta.url))

describe.skipIf(reason !== undefined)(`exporter${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  it('passes its own tests against StateFlow’s sources, none skipped', async () => {
    const python = await virtualEnvironment('stateflow-venv', 'requirements.txt')
    const output = await runCommand(python, ['-m', 'unittest', 'discover', '-b'], {
      cwd: tests,
      env: pythonEnvironment([requirePath('STATEFLOW_HOME')]),
      timeoutMs: 250_000,
    })
    expect(output).toMatch(/^Ran [1-9]\d* tests in /m)
    expect(output).toMatch(/^OK$/m)
  }, 300_000)
})
