import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'

/** Minutes, root, and Debian's buildah and mmdebstrap: only where they are asked for, by TEST_CONTAINER=1. */
const container = ['test/container/image.test.ts', 'test/container/compose.test.ts']

export default defineConfig({
  // The same copy of it that the tests import by its path.
  resolve: {
    alias: { 'stateflow-gateway/embedded': join(import.meta.dirname, 'src/gateway/embedded-library.ts') },
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(process.env.TEST_CONTAINER === undefined ? container : [])],
    globalSetup: ['test/helpers/kafka-global-setup.ts'],
    reporters: ['default', './test/helpers/count-reporter.ts'],
    // Integration tests wait more than they compute; each Kafka has its own process.
    maxWorkers: 2,
    // On a machine that others load too, a real broker or runtime may be late once.
    retry: process.env.CI === undefined ? 0 : 1,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/gateway/bin.mjs'],
      reporter: ['text-summary', 'json-summary'],
      reportOnFailure: true,
      thresholds: { lines: 90 },
    },
  },
})
