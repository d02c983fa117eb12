import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { stringifyExact } from '../entity-registry/exact-json.ts'

/** An ordinary Fastify plugin; `app.gateway` calls entities. */
export type CustomRoutes = FastifyPluginAsync

/** A plugin, and the file it came from where there is one. */
export interface LoadedRoutes {
  readonly file?: string
  readonly plugin: CustomRoutes
}

/**
 * Registers every plugin in its own scope. Files of a folder are taken in the order of their names.
 * @throws Error that names the file at fault
 */
export async function registerCustomRoutes(app: FastifyInstance, loaded: readonly LoadedRoutes[]): Promise<void> {
  const all: FastifyPluginAsync = async (scope) => {
    keepDigits(scope)
    reservePaths(scope)
    for (const { file, plugin } of loaded) {
      try {
        await scope.register(plugin)
      } catch (error) {
        throw file === undefined ? error : failure(file, 'can’t be registered', error)
      }
    }
  }
  await app.register(all)
}

/** What the gateway may have there tomorrow must not be somebody's today. */
function reservePaths(scope: FastifyInstance): void {
  scope.addHook('onRoute', ({ url }) => {
    if (/^\/-(\/|$)/.test(url)) throw new Error(`The path ${url} is reserved: all under /-/ are the gateway’s own.`)
  })
}

/** Answers without a schema are written by `JSON.stringify`, which has no `bigint`: what entities answer may be one. */
function keepDigits(scope: FastifyInstance): void {
  scope.addHook('preSerialization', (_request, reply, payload, done) => {
    const hasSchema = Boolean(reply.getSerializationFunction(String(reply.statusCode)))
    if (!hasSchema) reply.serializer(stringifyExact)
    done(null, payload)
  })
}

/** @throws Error that names the file at fault */
export async function loadCustomRoutes(paths: readonly string[]): Promise<readonly LoadedRoutes[]> {
  const loaded: LoadedRoutes[] = []
  for (const file of paths.flatMap(filesOf)) loaded.push({ file, plugin: await loadPlugin(file) })
  return loaded
}

const PLUGIN_FILE = /(?<!\.d)\.[cm]?[jt]s$/

function filesOf(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new Error(`GATEWAY_ROUTES: there is no file or folder "${path}".`)
  if (!stat.isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => PLUGIN_FILE.test(name))
  if (names.length === 0) throw new Error(`GATEWAY_ROUTES: there is no plugin in the folder "${path}".`)
  return names.sort().map((name) => join(path, name))
}

async function loadPlugin(file: string): Promise<CustomRoutes> {
  const module: unknown = await import(pathToFileURL(resolve(file)).href).catch((error: unknown) => {
    throw failure(file, 'can’t be imported', error)
  })
  const plugin = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
  if (typeof plugin !== 'function')
    throw new Error(`GATEWAY_ROUTES: "${file}" has no Fastify plugin as its default export.`)
  // Fastify checks the rest when it registers the plugin.
  return plugin as CustomRoutes
}

function failure(file: string, what: string, cause: unknown): Error {
  const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return new Error(`GATEWAY_ROUTES: "${file}" ${what}. ${message}`, { cause })
}
