import type { AccessRule } from './access-rule.ts'

/**
 * What exists: entities and their methods, as the rest of the gateway sees them.
 * Built once by `compile-entities.ts` from a metadata document and deeply frozen before the first route is made.
 */

/** A JSON Schema 2020-12 object or boolean schema. Plain data: metadata is only known at run time. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** The metadata has it no more, and it is served all the same for a while. Epoch milliseconds. */
export interface Retirement {
  readonly deprecatedAtMs: number
  readonly sunsetAtMs: number
}

export interface ParameterDescriptor {
  readonly name: string
  /** What the caller sends. An entity reference has become the schema of that entity's key. */
  readonly schema: JsonSchema
  /** Whether the argument must be there. */
  readonly required: boolean
  /** Where references to entities stand in the value: the entity's name by the path to it (`*` is any index). */
  readonly references: readonly EntityReference[]
}

export interface EntityReference {
  readonly entity: string
  /** `[]`: the value itself; `['*']`: each item of a list. */
  readonly path: readonly string[]
}

/** A failure that the entity's author has declared, with the HTTP status it is answered with. */
export interface DeclaredError {
  readonly status: number
  readonly description: string
  readonly schema: JsonSchema | undefined
}

export type HttpVerb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface MethodBinding {
  readonly verb: HttpVerb | undefined
  /** With exactly one `{key}`; `undefined`: the usual path. */
  readonly path: string | undefined
}

export interface MethodDescriptor {
  readonly name: string
  readonly description: string
  readonly params: readonly ParameterDescriptor[]
  /** `undefined`: the method returns nothing (the route answers 204). `{}`: any JSON value. */
  readonly returns: JsonSchema | undefined
  /** What the compiler says; proves nothing by itself, see `safe`. */
  readonly readOnly: boolean
  /** The operator (or the runtime's proof) says that a call changes nothing: the method is served by GET too. */
  readonly safe: boolean
  /** Where the operator has put the method instead of `POST /entity/{key}/method`. */
  readonly binding: MethodBinding | undefined
  /** The operator takes an unfinished call for accepted: 202 at the deadline, not 504. */
  readonly acceptLate: boolean
  /** Milliseconds a call may take; `undefined`: the gateway's default. */
  readonly deadlineMs: number | undefined
  readonly errors: ReadonlyMap<string, DeclaredError>
  readonly access: AccessRule
  readonly examples: readonly Readonly<Record<string, unknown>>[]
  /** What only the runtime's adapter understands. */
  readonly runtime: Readonly<Record<string, unknown>>
  readonly retirement?: Retirement
}

export interface AttributeDescriptor {
  readonly name: string
  readonly description: string
  readonly schema: JsonSchema
  readonly references: readonly EntityReference[]
  readonly readable: boolean
  /** Never by default: a write goes past the entity's own methods. */
  readonly writable: boolean
  readonly access: { readonly read: AccessRule; readonly write: AccessRule }
  readonly retirement?: Retirement
}

export interface EntityDescriptor {
  /** The class name, e.g. `OrderLine`. */
  readonly name: string
  /** The path segment, e.g. `order_line`. */
  readonly path: string
  readonly description: string
  readonly application: string
  /** Name of the configured runtime instance that serves this entity. */
  readonly runtimeName: string
  /** What the document's and the entity's `runtime` members say, merged; opaque but to the adapter. */
  readonly runtime: Readonly<Record<string, unknown>>
  readonly key: {
    readonly name: string
    readonly type: 'string' | 'integer'
    readonly schema: JsonSchema
  }
  /** `undefined`: instances can't be created by a caller. */
  readonly create:
    | {
        readonly description: string
        readonly params: readonly ParameterDescriptor[]
        /** The constructor's argument that becomes the key; `undefined`: only the runtime's answer names the key. */
        readonly keyParam: string | undefined
        readonly examples: readonly Readonly<Record<string, unknown>>[]
        readonly runtime: Readonly<Record<string, unknown>>
      }
    | undefined
  /** `read`: of the entity as a whole; its attributes and methods have their own. */
  readonly access: { readonly create: AccessRule; readonly read: AccessRule }
  readonly attributes: ReadonlyMap<string, AttributeDescriptor>
  readonly methods: ReadonlyMap<string, MethodDescriptor>
  /** Members of the entity that have no route, and why. */
  readonly hidden: readonly { readonly name: string; readonly reason: string }[]
  /** Of the entity as a whole; its members then have the same. */
  readonly retirement?: Retirement
}
