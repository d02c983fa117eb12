import { buildah } from './buildah.ts'

/** What an image says about how it is run. */
export interface ImageConfig {
  readonly uid: number
  readonly gid: number
  readonly workdir: string
  readonly env: readonly string[]
  readonly command: readonly string[]
  readonly healthcheck: readonly string[]
  readonly stopSignal: string
  readonly labels: Readonly<Record<string, string>>
}

/** The part of an image's description that is read. */
export interface Inspected {
  readonly Docker: {
    readonly config: {
      readonly User?: string
      readonly WorkingDir?: string
      readonly Env?: readonly string[]
      readonly Entrypoint?: readonly string[]
      readonly Cmd?: readonly string[]
      readonly Healthcheck?: { readonly Test?: readonly string[] }
      readonly StopSignal?: string
      readonly Labels?: Readonly<Record<string, string>>
    }
  }
}

export function inspectImage(image: string): Inspected {
  // buildah's own format; what is missing in it fails in `imageConfigOf`.
  return JSON.parse(buildah('inspect', '--type', 'image', image)) as Inspected
}

/** @throws Error when the image would run as root, by a name that Kubernetes can't check, or with a shell */
export function imageConfigOf({ Docker: { config } }: Inspected): ImageConfig {
  const user = /^([1-9]\d*):([1-9]\d*)$/.exec(config.User ?? '')
  if (user === null) throw new Error(`the image's user is "${config.User ?? ''}", not UID:GID other than root`)
  const [form, ...healthcheck] = config.Healthcheck?.Test ?? []
  if (form !== 'CMD') throw new Error(`the health check's form is ${form}, which needs a shell`)
  return {
    uid: Number(user[1]),
    gid: Number(user[2]),
    workdir: config.WorkingDir ?? '/',
    env: config.Env ?? [],
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    healthcheck,
    stopSignal: config.StopSignal ?? 'SIGTERM',
    labels: config.Labels ?? {},
  }
}
