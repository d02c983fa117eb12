import { readFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { messageOf } from '../entity-registry/message-of.ts'
import { describeModule, type FunctionsFile } from '../runtime-adapters/statefun/describe-module.ts'
import { readModule } from '../runtime-adapters/statefun/module-file.ts'
import { ConfigError } from './config.ts'

/**
 * Prints the metadata document of a StateFun application's module: `describe-module MODULE.yaml [--functions FILE]`.
 * @throws YamlFileError, MetadataError, ConfigError
 */
export function printModule(argv: readonly string[]): void {
  const { file, functions } = argumentsOf(argv)
  const { document, notes } = describeModule(
    readModule(file, readFileSync(file, 'utf8')),
    functions === undefined ? undefined : readFunctions(functions),
  )
  for (const note of notes) process.stderr.write(`note: ${note}\n`)
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
}

function argumentsOf(argv: readonly string[]): { readonly file: string; readonly functions: string | undefined } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { functions: { type: 'string' } },
      allowPositionals: true,
    })
    const [file, ...others] = positionals
    if (file !== undefined && others.length === 0) return { file, functions: values.functions }
  } catch (error) {
    throw new ConfigError([messageOf(error)])
  }
  throw new ConfigError(['describe-module needs one file: describe-module MODULE.yaml [--functions FILE].'])
}

/** JSON is YAML too. */
function readFunctions(file: string): FunctionsFile {
  try {
    return { file, content: parse(readFileSync(file, 'utf8')) }
  } catch (error) {
    throw new ConfigError([`${file}: ${messageOf(error)}`])
  }
}
