import { Ajv2020 } from 'ajv/dist/2020.js'

/** One for all that an operator writes: what takes its time is to compile JSON Schema's own schema. */
export const operatorSchemas = new Ajv2020({ allErrors: true, verbose: true, strict: false, logger: false })
