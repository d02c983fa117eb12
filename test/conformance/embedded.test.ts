import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Item, User } from '../../examples/shop/shop.ts'
import { embeddedRuntime } from './embedded-runtime.ts'
import { describeRuntimeAdapter } from './runtime-adapter.ts'

const definitions = [Item, User]

describeRuntimeAdapter('the embedded runtime in memory', async () => embeddedRuntime({ definitions }))

describeRuntimeAdapter('the embedded runtime in a folder', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'embedded-'))
  return {
    ...embeddedRuntime({ definitions, dataFolder }),
    dispose: async () => rmSync(dataFolder, { recursive: true }),
  }
})
