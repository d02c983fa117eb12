import type { StateSpec } from '../statefun/protobuf.ts'

/** How a value of a function's state is kept. */
export interface Spec {
  readonly name: string
  readonly typename: string
  readonly expiration: { readonly kind: 'never' | 'after-write' | 'after-invoke'; readonly afterMs: number }
}

/** The states of each function type, as the functions themselves have told them. */
export interface StateSpecs {
  of(functionType: string): ReadonlyMap<string, Spec>
  /**
   * Takes what a function misses. What is known already stays as it was told first.
   * @param sent the names that the function was given
   * @returns what is wrong with it
   */
  register(functionType: string, missing: readonly StateSpec[], sent: ReadonlySet<string>): string | undefined
}

/** Values that a function may have. */
const MAX_SPECS = 1_000
const NONE: ReadonlyMap<string, Spec> = new Map()
/** By the number of `ExpirationSpec.mode`. */
const EXPIRATIONS = ['never', 'after-write', 'after-invoke'] as const

export function createStateSpecs(): StateSpecs {
  const byType = new Map<string, Map<string, Spec>>()

  return {
    of: (functionType) => byType.get(functionType) ?? NONE,
    register(functionType, missing, sent) {
      const specs = byType.get(functionType) ?? new Map<string, Spec>()
      if (missing.every(({ stateName }) => sent.has(stateName))) return 'It misses no state that it was not given.'
      for (const spec of missing.map(toSpec)) {
        const known = specs.get(spec.name)
        if (known !== undefined && known.typename !== spec.typename) {
          return `Its state "${spec.name}" is of the type ${known.typename}, and now of ${spec.typename}.`
        }
        if (known === undefined) specs.set(spec.name, spec)
      }
      if (specs.size > MAX_SPECS) return `It has more than ${MAX_SPECS} states.`
      byType.set(functionType, specs)
      return undefined
    },
  }
}

function toSpec({ stateName: name, typeTypename: typename, expirationSpec }: StateSpec): Spec {
  const kind = EXPIRATIONS[expirationSpec?.mode ?? 0] ?? 'never'
  return { name, typename, expiration: { kind, afterMs: toNumber(expirationSpec?.expireAfterMillis ?? 0) } }
}

/** A 64-bit field as it was decoded. */
export function toNumber(value: { toNumber(): number } | number): number {
  return typeof value === 'number' ? value : value.toNumber()
}
