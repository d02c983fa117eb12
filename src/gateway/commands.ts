import process from 'node:process'
import closeWithGrace from 'close-with-grace'
import { compileEntities } from '../entity-registry/compile-entities.ts'
import { loadMetadata } from '../entity-registry/load-metadata.ts'
import { loadOverrides, noOverrides } from '../entity-registry/overrides.ts'
import type { Config } from './config.ts'
import { buildGateway, type Gateway } from './gateway.ts'
import { loggerOptions } from './logger.ts'

/** Listens until SIGTERM or SIGINT; calls under way then have `shutdownGraceMs` to end. */
export async function serve(config: Config): Promise<void> {
  const gateway = await buildGateway({ config, logger: loggerOptions(config, process.stdout.isTTY) })
  closeWithGrace({ delay: config.shutdownGraceMs, logger: gateway.app.log }, async ({ err }) => {
    if (err !== undefined) gateway.app.log.error({ err }, 'stopping after an error that nobody caught')
    await gateway.close()
  })
  await gateway.app.listen({
    host: config.host,
    port: config.port,
    listenTextResolver: (address) => announce(gateway, address),
  })
}

function announce({ app, registry: { entities }, runtimes }: Gateway, address: string): string {
  const routes = app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .filter((line) => line.includes('(')).length
  const names = [...runtimes.adapters].map(([name, { name: kind }]) => (name === kind ? name : `${name} (${kind})`))
  return `${entities.length} entities on runtime ${names.join(', ')}, ${routes} routes at ${address}; docs at ${address}/docs`
}

/** @throws MetadataError with every problem */
export function check(files: readonly string[], config?: Pick<Config, 'overrides'>): void {
  if (files.length === 0) throw new Error('check needs at least one file.')
  const overrides = config?.overrides === undefined ? noOverrides : loadOverrides(config.overrides)
  const entities = compileEntities(loadMetadata(files), overrides)
  const methods = entities.reduce((sum, entity) => sum + entity.methods.size, 0)
  process.stdout.write(`ok: ${entities.length} entities, ${methods} methods\n`)
}

/** Prints the document without reaching for any runtime. */
export async function printOpenapi(config: Config, files: readonly string[]): Promise<void> {
  const metadata = [...config.metadata, ...files]
  const gateway = await buildGateway({ config: { ...config, metadata }, connect: false })
  process.stdout.write(`${JSON.stringify(gateway.app.swagger(), null, 2)}\n`)
  await gateway.close()
}
