// `stateflow-gateway/embedded`: of the built package, or of a checkout, where nothing is built. Synchronous, so that it can be required.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

const source = new URL('src/gateway/embedded-library.ts', import.meta.url)
const library = existsSync(source) ? './src/gateway/embedded-library.ts' : './dist/gateway/embedded-library.js'
export const { defineEntity, EntityError, entityRef, Int64, Type } = createRequire(import.meta.url)(library)
