import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import type { RedisAddress } from './redis-address.ts'

/** Settings of the store in Redis or Valkey. */
export const RedisOptions = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        env: 'REDIS_URL',
        secret: true,
        pattern: '^rediss?(\\+(sentinel|cluster))?://',
        description:
          'Keep invocations in Redis 6.2+ or Valkey, for all replicas: `redis://USER:PASSWORD@HOST:PORT/DB`, `redis+sentinel://HOST:PORT,HOST:PORT/MASTER`, `redis+cluster://HOST:PORT,HOST:PORT`; `rediss` for TLS. Left out: in this process’s memory.',
      }),
    ),
    prefix: Type.String({
      env: 'REDIS_PREFIX',
      default: 'stateflow-gateway',
      pattern: '^[A-Za-z0-9._:-]{1,64}$',
      description:
        'How its keys and its channel begin. Replicas of one gateway share it, other gateways have their own.',
    }),
    timeoutMs: Type.Integer({
      env: 'REDIS_TIMEOUT_MS',
      default: 900,
      minimum: 50,
      maximum: 60_000,
      description: 'Longest time that an exchange with Redis may take; calls that need it get 503 after that.',
    }),
    tlsCaFile: Type.Optional(
      Type.String({
        env: 'REDIS_TLS_CA_FILE',
        description: 'PEM file of the authority that signed the servers’ certificates; the system’s otherwise.',
      }),
    ),
    tlsCertFile: Type.Optional(
      Type.String({
        env: 'REDIS_TLS_CERT_FILE',
        description: 'PEM file of the gateway’s own certificate, where servers ask for one.',
      }),
    ),
    tlsKeyFile: Type.Optional(
      Type.String({ env: 'REDIS_TLS_KEY_FILE', description: 'PEM file of that certificate’s private key.' }),
    ),
    tlsVerify: Type.Boolean({
      env: 'REDIS_TLS_VERIFY',
      default: true,
      description: 'false: take any certificate. Never in production.',
    }),
    sentinelUsername: Type.Optional(
      Type.String({ env: 'REDIS_SENTINEL_USERNAME', description: 'For the sentinels themselves.' }),
    ),
    sentinelPassword: Type.Optional(
      Type.String({ env: 'REDIS_SENTINEL_PASSWORD', secret: true, description: 'For the sentinels themselves.' }),
    ),
  },
  { additionalProperties: false },
)

export type RedisOptions = Static<typeof RedisOptions>

export interface RedisTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly rejectUnauthorized: boolean
}

/**
 * Whoever sets these does not mean to be spoken to in plaintext, or to ask no sentinel.
 * @throws Error where the address makes nothing of a setting
 */
export function refuseUnused(options: RedisOptions, { tls, kind }: Pick<RedisAddress, 'tls' | 'kind'>): void {
  const { tlsCaFile, tlsCertFile, tlsKeyFile, sentinelUsername, sentinelPassword } = options
  const ofTls = { REDIS_TLS_CA_FILE: tlsCaFile, REDIS_TLS_CERT_FILE: tlsCertFile, REDIS_TLS_KEY_FILE: tlsKeyFile }
  const ofSentinels = { REDIS_SENTINEL_USERNAME: sentinelUsername, REDIS_SENTINEL_PASSWORD: sentinelPassword }
  if (!tls) refuseSet(ofTls, 'rediss')
  if (kind !== 'sentinel') refuseSet(ofSentinels, 'redis+sentinel or rediss+sentinel')
}

function refuseSet(settings: Readonly<Record<string, string | undefined>>, scheme: string): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined)
      throw new Error(`${name} needs a REDIS_URL that begins with ${scheme}: without that, it would be ignored.`)
  }
}

/** @throws Error when a file can't be read */
export function readRedisTls({ tlsCaFile, tlsCertFile, tlsKeyFile, tlsVerify }: RedisOptions): RedisTls {
  const read = (name: string, file: string | undefined) =>
    file === undefined ? {} : { [name]: readFileSync(file, 'utf8') }
  return {
    ...read('ca', tlsCaFile),
    ...read('cert', tlsCertFile),
    ...read('key', tlsKeyFile),
    rejectUnauthorized: tlsVerify,
  }
}
