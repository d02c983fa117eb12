import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'

/** An ordinary Fastify plugin; `app.gateway` calls entities. */
export type CustomRoutes = FastifyPluginAsync

/** Registers every plugin in its own scope. Files of a folder are taken in the order of their names. */
export async function registerCustomRoutes(app: FastifyInstance, plugins: readonly CustomRoutes[]): Promise<void> {
  for (const plugin of plugins) await app.register(plugin)
}

/** @throws Error that names the file at fault */
export async function loadCustomRoutes(paths: readonly string[]): Promise<readonly CustomRoutes[]> {
  const plugins: CustomRoutes[] = []
  for (const file of paths.flatMap(filesOf)) plugins.push(await loadPlugin(file))
  return plugins
}

const PLUGIN_FILE = /(?<!\.d)\.[cm]?[jt]s$/

function filesOf(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new Error(`GATEWAY_ROUTES: there is no file or folder "${path}".`)
  if (!stat.isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => PLUGIN_FILE.test(name))
    .sort()
    .map((name) => join(path, name))
}

async function loadPlugin(file: string): Promise<CustomRoutes> {
  const module: unknown = await import(pathToFileURL(resolve(file)).href)
  const plugin = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
  if (typeof plugin !== 'function')
    throw new Error(`GATEWAY_ROUTES: "${file}" has no Fastify plugin as its default export.`)
  // Fastify checks the rest when it registers the plugin.
  return plugin as CustomRoutes
}
