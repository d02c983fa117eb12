import process from 'node:process'
import { didYouMean } from '../entity-registry/nearest-name.ts'
import { check, printApiKey, printOpenapi, serve } from './commands.ts'
import { type Config, ConfigError, printableConfig, readConfig } from './config.ts'
import { printModule } from './describe-module.ts'
import { failureText } from './failure-text.ts'
import { printDiff } from './reload/print-diff.ts'
import { usage } from './usage.ts'
import { version } from './version.ts'

/** The process: arguments in, exit code out. */
export async function main([command = 'help', ...argv]: readonly string[]): Promise<void> {
  // The log of `serve` has its own ways with a reader who is gone.
  if (command !== 'serve') process.stdout.on('error', endWithReader)
  try {
    if (command === 'help' || [command, ...argv].some((word) => word === '--help' || word === '-h')) {
      process.stdout.write(usage)
      return
    }
    if (command === '--version') {
      process.stdout.write(`${version}\n`)
      return
    }
    // It has flags of its own, and needs no settings.
    if (command === 'describe-module') return printModule(argv)
    const { config, positionals, printConfig } = readConfig({ env: process.env, argv })
    if (printConfig) process.stdout.write(`${printableConfig(config)}\n`)
    else await run(command, config, positionals)
  } catch (error) {
    process.stderr.write(`stateflow-gateway: ${failureText(error)}\n`)
    process.exitCode = error instanceof ConfigError ? 2 : 1
  }
}

/** `… | head` reads no more than it wants, and that is no failure. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}

async function run(command: string, config: Config, files: readonly string[]): Promise<void> {
  if (command === 'serve') return serve(config, files)
  if (command === 'check') return check(files, config)
  if (command === 'diff') return printDiff(files, config)
  if (command === 'openapi') return printOpenapi(config, files)
  if (command === 'new-api-key') return printApiKey(files)
  const hint =
    didYouMean(command, ['serve', 'check', 'diff', 'openapi', 'new-api-key', 'describe-module']) ??
    'See stateflow-gateway --help.'
  throw new ConfigError([`there is no command "${command}". ${hint}`])
}
