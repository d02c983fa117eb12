import { createEndpointDirectory } from '../../src/runtime-adapters/statefun-endpoint/endpoint-directory.ts'
import { Engine } from '../../src/runtime-adapters/statefun-endpoint/engine.ts'
import { SqliteEngineStore } from '../../src/runtime-adapters/statefun-endpoint/sqlite-engine-store.ts'

const loud = { debug() {}, info() {}, warn: fail, error: fail }

/** An engine with the bank's functions. Nothing may fail in it. */
export function bankEngine(folder: string, url: string): Engine {
  const directory = createEndpointDirectory([{ functions: 'bank/*', urlPathTemplate: url }], {
    maxBatch: 1_000,
    callTimeoutMs: 30_000,
    maxConnections: 16,
  })
  return new Engine({
    store: new SqliteEngineStore({ folder }),
    directory,
    limits: { maxConcurrent: 16, maxQueued: 200, maxQueuedBytes: 1_000_000, drainMs: 5_000 },
    onEgress: () => undefined,
    onFailure: () => undefined,
    log: loud,
  })
}

function fail(fields: object, message: string): void {
  throw new Error(`${message}: ${JSON.stringify(fields)}`)
}
