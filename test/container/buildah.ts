import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { CACHE, cachedBuild } from '../helpers/cached-build.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'

/** Images without an engine: buildah makes them by chroot in a store of its own, and nothing is pulled. */

const programs = ['buildah', 'mmdebstrap', 'unshare', 'setpriv', 'npm']
const STORE = join(CACHE, 'container-base')

/** Why no image can be built here; `undefined` where one can. */
export function buildahUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root, to change the root folder of a process'
  const missing = programs.filter((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined)
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}`
}

/** @throws Error with the last of its output when it fails */
export function buildah(...args: readonly string[]): string {
  const store = ['--root', join(STORE, 'store'), '--runroot', join(STORE, 'run'), '--storage-driver', 'vfs']
  const options = { encoding: 'utf8', timeout: 400_000, maxBuffer: 64 << 20 } as const
  const { status, error, stdout, stderr } = spawnSync('buildah', [...store, ...args], options)
  if (status === 0) return stdout.trim()
  throw new Error(`buildah ${args.join(' ')} failed: ${error ?? ''}\n${`${stdout}${stderr}`.slice(-6_000)}`)
}

/** Builds a Dockerfile as it is, on the stand-in of its base image. @returns the image's id */
export function buildImage(dockerfile: string, context: string, tag: string): string {
  const folder = createTemporaryFolder()
  try {
    const flags = ['--isolation', 'chroot', '--pull-never', '--format', 'docker', '--layers=false', '--timestamp', '0']
    // npm's own settings of this machine, for the build alone: the authority that a proxy signs with, and a cache.
    const certificates = process.env.NODE_EXTRA_CA_CERTS ?? ''
    const npmCache = join(homedir(), '.npm')
    mkdirSync(npmCache, { recursive: true })
    const npmrc = folder.write(
      'npmrc',
      `cache=/run/npm-cache\nprefer-offline=true\n${certificates === '' ? '' : 'cafile=/run/host-ca.crt\n'}`,
    )
    const volumes = [`${npmrc}:/usr/local/etc/npmrc:ro`, `${npmCache}:/run/npm-cache`]
    if (certificates !== '') volumes.push(`${certificates}:/run/host-ca.crt:ro`)
    const mounts = volumes.flatMap((volume) => ['-v', volume])
    return buildah('bud', '-q', ...flags, ...mounts, '-f', dockerfile, '-t', tag, context)
  } finally {
    folder.close()
  }
}

/**
 * Something to build on under the name of the public base image: Debian's smallest system with this Node and npm. It is a stand-in;
 * what the public image holds beside these is not tested.
 */
export async function ensureBaseImage(name: string): Promise<void> {
  const node = realpathSync(process.execPath)
  await cachedBuild({
    name: 'container-base',
    inputs: [name, process.version],
    build: async (folder) => {
      mkdirSync(folder, { recursive: true })
      const tar = join(folder, 'root.tar')
      const options = ['--variant=essential', '--include=libstdc++6,passwd']
      const leaner = ['man', 'locale', 'doc'].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`)
      const made = spawnSync('mmdebstrap', [...options, ...leaner, 'bookworm', tar], {
        encoding: 'utf8',
        timeout: 500_000,
      })
      if (made.status !== 0) throw new Error(`mmdebstrap failed:\n${made.stderr.slice(-4_000)}`)
      commitBase({ name, node, tar })
      rmSync(tar)
    },
  })
}

function commitBase({ name, node, tar }: { readonly name: string; readonly node: string; readonly tar: string }): void {
  const stage = mkdtempSync(join(tmpdir(), 'stateflow-gateway-base-'))
  try {
    const modules = join(stage, 'usr/local/lib/node_modules')
    mkdirSync(join(stage, 'usr/local/bin'), { recursive: true })
    cpSync(node, join(stage, 'usr/local/bin/node'))
    cpSync(npmFolder(), join(modules, 'npm'), { recursive: true })
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(stage, 'usr/local/bin/npm'))
    const container = buildah('from', 'scratch')
    buildah('add', '-q', container, tar, '/')
    buildah('copy', '-q', container, stage, '/')
    const user = 'groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node'
    buildah('run', '--isolation', 'chroot', container, '--', '/bin/sh', '-c', user)
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    // The public image starts by a shell script of this name.
    buildah('config', '--env', path, '--entrypoint', '["docker-entrypoint.sh"]', '--cmd', 'node', container)
    buildah('commit', '-q', '--rm', container, `docker.io/library/${name}`)
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

/** The folder of the npm on the PATH. */
function npmFolder(): string {
  const found = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'npm'))
  const npm = found.find((path) => existsSync(path))
  if (npm === undefined) throw new Error('there is no npm on the PATH')
  return dirname(dirname(realpathSync(npm)))
}
