import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { type GatewayProcess, startProcess } from '../helpers/gateway-process.ts'
import { until } from '../helpers/until.ts'
import { buildah } from './buildah.ts'
import type { ImageConfig } from './image-config.ts'

/** An image's file system, in a working copy that goes with `close`. */
export interface MountedImage {
  readonly path: string
  close(): void
}

export function mountImage(image: string): MountedImage {
  const container = buildah('from', '--pull-never', image)
  return {
    path: buildah('mount', container),
    close: () => {
      buildah('umount', container)
      buildah('rm', container)
    },
  }
}

/** Every program that is not Node: what is left must be enough. */
export function removeTools({ path }: MountedImage): void {
  for (const folder of ['usr/bin', 'usr/sbin', 'usr/local/lib/node_modules', 'usr/local/bin/npm'])
    rmSync(join(path, folder), { recursive: true, force: true })
}

export interface RunOptions {
  readonly image: MountedImage
  readonly config: ImageConfig
  /** In place of the image's own. */
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Folders of this machine by their places in the container. */
  readonly volumes?: Readonly<Record<string, string>>
}

/** The image's process as its own user, read-only, in namespaces of its own but on this machine's network. */
export function runImage({
  image,
  config,
  command = config.command,
  env = {},
  volumes = {},
}: RunOptions): GatewayProcess {
  const enter = join(import.meta.dirname, 'enter.sh')
  const mounts = Object.entries(volumes).map(([target, source]) => `${source}:${target}`)
  const variables = [...config.env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
  const place = [image.path, config.workdir, String(config.uid), String(config.gid)]
  const started = startProcess({
    command: [
      ...(['unshare', '--mount', '--pid', '--fork', '--', 'bash', enter] as const),
      ...[...place, ...mounts, '--', ...variables, '--', ...command],
    ],
  })
  const killFirst = (): void => {
    const pid = firstProcessOf(started)
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }
  process.once('exit', killFirst)
  return {
    ...started,
    // Whoever changes his user is no longer killed with his parent; with process 1 the whole namespace goes.
    close: () => {
      process.off('exit', killFirst)
      killFirst()
      return started.close()
    },
  }
}

/** The process id, on this machine, of what is process 1 in the container. */
export async function firstProcess(started: GatewayProcess): Promise<number> {
  await until('the container has a process', () => firstProcessOf(started) !== undefined)
  return firstProcessOf(started) ?? 0
}

function firstProcessOf({ child: { pid } }: GatewayProcess): number | undefined {
  const file = `/proc/${pid}/task/${pid}/children`
  const child = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  return child === '' ? undefined : Number(child)
}
