/** Where Redis is, and how it is made up. */
export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  /** Servers to ask first; exactly one with `single`. */
  readonly hosts: readonly [RedisHost, ...RedisHost[]]
  readonly tls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  /** The number of the database; a cluster has only 0. */
  readonly db: number
  /** The name that the sentinels know the master by; only with `sentinel`. */
  readonly master: string | undefined
}

export interface RedisHost {
  readonly host: string
  readonly port: number
}

/** With an "@" behind a "/", the password has that "/": it must not be taken for a host or a database, which errors show. */
const SHAPE = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^@?#]*))?$/
const REDIS_PORT = 6379
const SENTINEL_PORT = 26379

/**
 * Lists of hosts are no valid URLs, so this is not left to `URL`.
 * @throws Error in the operator's words, and without the password
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = SHAPE.exec(url)
  if (parts === null)
    throw new Error(
      'REDIS_URL is not redis[s][+sentinel|+cluster]://[USER:PASSWORD@]HOST[:PORT][/…]. In a password, "/" is "%2F" and "@" is "%40".',
    )
  const [, tls = '', kind = 'single', login, list = '', path = ''] = parts
  const common = { tls: tls === 's', ...loginOf(login), master: undefined }
  const [first, ...others] = list
    .split(',')
    .map((text) => hostOf(text, kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT))
  if (first === undefined) throw new Error('REDIS_URL names no host.')
  const segments = path.split('/').filter((segment) => segment !== '')
  switch (kind) {
    case 'sentinel': {
      const [master, db] = segments
      if (master === undefined)
        throw new Error('REDIS_URL: a sentinel address ends with the master’s name: …/mymaster.')
      refuse(segments.slice(2))
      return { ...common, kind, hosts: [first, ...others], master: decodeURIComponent(master), db: databaseOf(db) }
    }
    case 'cluster':
      if (databaseOf(segments[0]) !== 0) throw new Error('REDIS_URL: a cluster has no database but 0.')
      refuse(segments.slice(1))
      return { ...common, kind, hosts: [first, ...others], db: 0 }
    default:
      if (others.length > 0) {
        throw new Error('REDIS_URL: several hosts need redis+sentinel:// or redis+cluster://.')
      }
      refuse(segments.slice(1))
      return { ...common, kind: 'single', hosts: [first], db: databaseOf(segments[0]) }
  }
}

function loginOf(login: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (login === undefined || login === '') return { username: undefined, password: undefined }
  const at = login.indexOf(':')
  const username = decode(at < 0 ? login : login.slice(0, at))
  return {
    username: username === '' ? undefined : username,
    password: at < 0 ? undefined : decode(login.slice(at + 1)),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('REDIS_URL: a "%" in the user or password is written "%25".')
  }
}

function hostOf(text: string, defaultPort: number): RedisHost {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text.trim())
  const [, bracketed, plain, port] = parts ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port ?? 1) > 65_535)
    throw new Error(`REDIS_URL: "${text}" is not HOST or HOST:PORT.`)
  return { host, port: port === undefined ? defaultPort : Number(port) }
}

function databaseOf(text = '0'): number {
  if (!/^\d{1,5}$/.test(text)) throw new Error(`REDIS_URL: "${text}" is not the number of a database.`)
  return Number(text)
}

function refuse(segments: readonly string[]): void {
  if (segments.length > 0) throw new Error(`REDIS_URL: nothing is known of "/${segments.join('/')}".`)
}
