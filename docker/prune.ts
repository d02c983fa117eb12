import { chmodSync, lutimesSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

/**
 * Makes an installed app small and the same for every builder: `node prune.ts FOLDER SECONDS`. Removes what no program reads while
 * it runs: source maps, TypeScript (Node runs none of a package), documents, tests. Licences stay: a package must not be handed on
 * without its own. Then every file gets the same modes and times.
 */

const needless = /(^\.|\.(map|[cm]?ts|md|markdown|flow|tsbuildinfo)$)/i
const licence = /^(licen[cs]e|copying|notice)/i
const needlessFolders = new Set(['test', 'tests', '__tests__', 'benchmark', 'benchmarks', 'example', 'examples'])

function prune(folder: string, isPackageRoot: boolean): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const isNeedless = entry.isDirectory()
      ? isPackageRoot && needlessFolders.has(entry.name)
      : needless.test(entry.name) && !licence.test(entry.name)
    if (isNeedless || entry.name === '.bin') rmSync(path, { recursive: true })
    else if (entry.isDirectory()) prune(path, isPackage(folder, entry.name))
  }
}

/** `node_modules/NAME` and `node_modules/@SCOPE/NAME`: only at its root is a folder called `test` surely a package's tests. */
function isPackage(parent: string, name: string): boolean {
  return !name.startsWith('@') && /(^|[\\/])node_modules([\\/]@[^\\/]+)?$/.test(parent)
}

function normalise(folder: string, seconds: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) normalise(path, seconds)
    else {
      // What may run stays so; who checked the sources out with which umask does not matter.
      if (!entry.isSymbolicLink()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755)
      lutimesSync(path, seconds, seconds)
    }
  }
  chmodSync(folder, 0o755)
  utimesSync(folder, seconds, seconds)
}

const [app = '', seconds = ''] = process.argv.slice(2)
if (app === '' || !/^\d+$/.test(seconds)) throw new Error('usage: prune.ts FOLDER SECONDS')
prune(app, false)
rmSync(join(app, 'package-lock.json'), { force: true })
// Entities and custom routes that are mounted under the app import the gateway by its name.
symlinkSync('..', join(app, 'node_modules', 'stateflow-gateway'))
normalise(app, Number(seconds))
