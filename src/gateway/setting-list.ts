import type { TSchema } from 'typebox'

/** One setting, as operators meet it. */
export interface Setting {
  /** `kafka.brokers` */
  readonly path: string
  /** `--kafka-brokers` */
  readonly flag: string
  /** `KAFKA_BROKERS`; `undefined`: config file only. */
  readonly env: string | undefined
  readonly kind: 'string' | 'integer' | 'boolean' | 'list' | 'object'
  readonly choices: readonly string[] | undefined
  readonly fallback: unknown
  readonly description: string
  /** Never printed. */
  readonly secret: boolean
  /** Names a file with the value: `KAFKA_SASL_PASSWORD_FILE`. `undefined`: there is none, or it is a setting of its own. */
  readonly fileEnv: string | undefined
}

/** What the settings' schemas say beside JSON Schema. */
interface Annotated {
  readonly env?: string
  readonly secret?: boolean
  /** Its file is a setting of its own. */
  readonly ownFile?: boolean
  readonly type?: string
  readonly enum?: readonly string[]
  readonly default?: unknown
  readonly description?: string
  readonly properties?: Readonly<Record<string, TSchema>>
}

/** Walks a settings schema: nested objects become dotted paths. */
export function listSettings(schema: TSchema, prefix = ''): readonly Setting[] {
  const { properties = {} } = schema as Annotated
  return Object.entries(properties).flatMap(([name, property]) => {
    const path = `${prefix}${name}`
    // TypeBox keeps unknown keywords of a schema as they were given.
    const annotated = property as Annotated
    if (annotated.properties !== undefined) return listSettings(property, `${path}.`)
    return [
      {
        path,
        flag: `--${path.replaceAll('.', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
        env: annotated.env,
        kind: kindOf(annotated),
        choices: annotated.enum,
        fallback: annotated.default,
        description: annotated.description ?? '',
        secret: annotated.secret ?? false,
        fileEnv: annotated.secret === true && annotated.ownFile !== true ? `${annotated.env}_FILE` : undefined,
      },
    ]
  })
}

function kindOf({ type, enum: choices }: Annotated): Setting['kind'] {
  if (choices !== undefined) return 'string'
  if (type === 'integer' || type === 'boolean' || type === 'object') return type
  return type === 'array' ? 'list' : 'string'
}
