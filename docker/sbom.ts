import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { type LockFile, type ProductionPackage, productionPackages } from './production-packages.ts'

/**
 * `node docker/sbom.ts [FOLDER]`: prints the bill of materials of what runs in production, in the form of CycloneDX 1.5. FOLDER holds the
 * lock file and `node_modules`; optional packages that are for other platforms are not installed there, and not listed.
 */

const folder = process.argv[2] ?? join(import.meta.dirname, '..')
// npm has written it, and `npm ci` has checked it.
const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as LockFile
const packages = productionPackages(lock, (path) => existsSync(join(folder, path)))
const [root, ...others] = packages.values()
if (root === undefined) throw new Error('the lock file has no root package')

function purl({ name, locked }: ProductionPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${locked.version ?? ''}`
}

function component(one: ProductionPackage) {
  const { license, integrity, version = '' } = one.locked
  const [, checksum] = /^sha512-(.+)$/.exec(integrity ?? '') ?? []
  return {
    type: one === root ? 'application' : 'library',
    // A version may lie in several folders.
    'bom-ref': one.folder === '' ? purl(one) : `${purl(one)}#${one.folder}`,
    name: one.name,
    version,
    purl: purl(one),
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    ...(checksum === undefined
      ? {}
      : { hashes: [{ alg: 'SHA-512', content: Buffer.from(checksum, 'base64').toString('hex') }] }),
  }
}

const refs = new Map([...packages].map(([path, one]) => [path, component(one)['bom-ref']]))
const sbom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: { component: component(root) },
  components: others.map(component),
  dependencies: [...packages.values()].map(({ folder: path, needs }) => ({
    ref: refs.get(path),
    dependsOn: needs.map((need) => refs.get(need)).sort(),
  })),
}
process.stdout.write(`${JSON.stringify(sbom, null, 2)}\n`)
