/** The part of npm's lock file (version 3) that is read. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage | undefined>>
}

export interface LockedPackage {
  readonly name?: string
  readonly version?: string
  readonly license?: string
  /** `sha512-` and the checksum in base64. */
  readonly integrity?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

export interface ProductionPackage {
  /** Its folder, e.g. `node_modules/a/node_modules/b`. */
  readonly folder: string
  readonly name: string
  readonly locked: LockedPackage
  /** Folders of what it needs itself. */
  readonly needs: readonly string[]
}

/**
 * Everything that the root package needs to run, by folder. Walked by hand because `npm sbom --omit dev` leaves out packages that a
 * development tool needs too.
 */
export function productionPackages(
  { packages }: LockFile,
  isInstalled: (folder: string) => boolean,
): ReadonlyMap<string, ProductionPackage> {
  const found = new Map<string, ProductionPackage>()
  const visit = (folder: string): void => {
    const locked = packages[folder]
    if (locked === undefined || found.has(folder)) return
    const needs = needed(locked)
      .flatMap((name) => resolve(packages, folder, name) ?? [])
      .filter(isInstalled)
    found.set(folder, { folder, name: nameOf(folder, locked), locked, needs })
    for (const need of needs) visit(need)
  }
  visit('')
  return found
}

function needed({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }: LockedPackage) {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => peerDependenciesMeta?.[name]?.optional !== true)
  return [...Object.keys(dependencies ?? {}), ...Object.keys(optionalDependencies ?? {}), ...peers]
}

/** As Node finds it: in the package's own folder first, then in each one above it. */
function resolve(packages: LockFile['packages'], from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const folder = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (packages[folder] !== undefined) return folder
    if (at === '') return undefined
  }
}

function nameOf(folder: string, { name }: LockedPackage): string {
  return name ?? folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)
}
