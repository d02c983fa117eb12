import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type EntityDefinition, isEntityDefinition } from './define-entity.ts'
import { DefinitionsError } from './definitions-error.ts'

/**
 * Imports a module and collects the entities that it exports, by name or in lists, in the order of their names.
 * @throws DefinitionsError
 */
export async function loadDefinitions(file: string): Promise<readonly EntityDefinition[]> {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat?.isFile() !== true) {
    const what = stat?.isDirectory() ? 'it is a folder' : 'there is no such file'
    throw new DefinitionsError(`${file}: ${what}. Set GATEWAY_ENTITIES to the module of your entities.`)
  }
  const definitions = collect(await importModule(file))
  if (definitions.length === 0) {
    throw new DefinitionsError(`${file}: it exports no entity. Export what \`defineEntity\` returns.`)
  }
  const names = new Set<string>()
  for (const { name } of definitions) {
    if (names.has(name)) throw new DefinitionsError(`${file}: two entities are called "${name}".`)
    names.add(name)
  }
  return definitions
}

async function importModule(file: string): Promise<object> {
  try {
    // A module's namespace is an object; that is all that is taken for granted here.
    return (await import(pathToFileURL(resolve(file)).href)) as object
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new DefinitionsError(`${file}: it can’t be imported. ${message}`, { cause: error })
  }
}

/** One entity may be exported twice, by name and as the default. */
function collect(exports: object): readonly EntityDefinition[] {
  const found = new Set(Object.values(exports).flat().filter(isEntityDefinition))
  return [...found].sort((one, other) => (one.name < other.name ? -1 : 1))
}
