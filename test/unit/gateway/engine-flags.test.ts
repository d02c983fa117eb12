import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { expect, it } from 'vitest'

const source = new URL('../../../src/gateway/engine-flags.ts', import.meta.url)

it('sets flags that this V8 knows', () => {
  // Set from a program, a flag that V8 does not know is passed over without a word; on the command line Node refuses it.
  const program = `
    import v8 from 'node:v8'
    import { syncBuiltinESMExports } from 'node:module'
    v8.setFlagsFromString = (flag) => process.stdout.write(flag + '\\n')
    syncBuiltinESMExports()
    const { setEngineFlags } = await import(${JSON.stringify(source.href)})
    setEngineFlags()`
  const run = (...argv: readonly string[]) => execFileSync(process.execPath, argv, { encoding: 'utf8' })
  const flags = run('--input-type=module', '--eval', program).trim().split('\n')
  expect(flags).toContain('--no-allocation-site-pretenuring')
  expect(run(...flags, '--eval', 'process.stdout.write("started")')).toBe('started')
})
