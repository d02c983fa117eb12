import { MAX_KEY_BYTES } from '../entity-registry/compile-entities.ts'
import type {
  EntityDescriptor,
  JsonSchema,
  MethodDescriptor,
  ParameterDescriptor,
} from '../entity-registry/descriptor.ts'
import { exactInteger } from '../entity-registry/exact-json.ts'
import type { Invocation, InvocationContext, Key, Target } from '../runtime-adapters/contract.ts'
import { ProblemError, type ProblemPlace } from './problem.ts'
import { createValidator, type Validator } from './validator.ts'

/** Hop 2: whatever a caller sent → a checked `Invocation`. Nothing that fails here ever reaches a runtime. */

type Args = Readonly<Record<string, unknown>>

/** Checks the arguments of one constructor or method. */
export interface ArgumentCheck {
  /** JSON Schema of the body: one member a parameter, no others. */
  readonly schema: JsonSchema
  /** @throws ProblemError `validation_failed` */
  check(args: unknown): Args
}

export function createArgumentCheck(params: readonly ParameterDescriptor[]): ArgumentCheck {
  const schema = argumentsSchema(params)
  const validate = createValidator(schema)
  return {
    schema,
    check(args = {}) {
      refuse('The arguments do not fit.', validate(args))
      // The schema has just said that it is an object.
      return args as Args
    },
  }
}

function argumentsSchema(params: readonly ParameterDescriptor[]): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(params.map(({ name, schema }) => [name, schema])),
    required: params.filter(({ required }) => required).map(({ name }) => name),
  }
}

/** Text from a path → the entity's key. */
export function createKeyParser(entity: EntityDescriptor): (text: string) => Key {
  const validate = createValidator(entity.key.schema)
  return (text) => {
    const key = entity.key.type === 'integer' ? integerKey(text) : text
    checkKeyText(entity, key)
    const places = key === undefined ? [{ pointer: '#/path/key', detail: 'must be integer' }] : validate(key)
    if (key !== undefined && places.length === 0) return key
    throw new ProblemError('invalid_key', {
      detail: `"${text.slice(0, 64)}" is not a key of ${entity.name}.`,
      errors: places.map(({ detail }) => ({ pointer: '#/path/key', detail })),
    })
  }
}

/** A JSON value → the entity's key. `42` is no key of an entity whose keys are text. */
export function createKeyCheck(entity: EntityDescriptor, pointer: string): (value: unknown) => Key {
  const validate = createValidator({ ...entity.key.schema, type: entity.key.type })
  return (value) => {
    const places = validate(value)
    if (places.length > 0) {
      throw new ProblemError('invalid_key', {
        detail: `This is not a key of ${entity.name}.`,
        errors: places.map(({ detail }) => ({ pointer, detail })),
      })
    }
    // The schema has just said that it is a string or an integer.
    const key = value as Key
    checkKeyText(entity, key, pointer)
    // JSON can write minus zero; no key is that.
    return key === 0 ? 0 : key
  }
}

function integerKey(text: string): Key | undefined {
  // One spelling for each number, so that a key has one URL.
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined
  const exact = BigInt(text)
  if (BigInt.asIntN(64, exact) !== exact) return undefined
  return exactInteger(exact)
}

/** Clients take these out of an address before they send it (RFC 3986, section 5.2.4). */
const DOTS = ['.', '..']
const NO_DOTS = `must be neither "${DOTS.join('" nor "')}"`

function checkKeyText(entity: EntityDescriptor, key: Key | undefined, pointer = '#/path/key'): void {
  if (typeof key !== 'string') return
  if (DOTS.includes(key)) {
    const detail = `"${key}" is not a key of ${entity.name}.`
    throw new ProblemError('invalid_key', { detail, errors: [{ pointer, detail: NO_DOTS }] })
  }
  if (Buffer.byteLength(key) <= MAX_KEY_BYTES) return
  throw new ProblemError('invalid_key', {
    detail: `A key of ${entity.name} is at most ${MAX_KEY_BYTES} bytes of UTF-8.`,
    errors: [{ pointer, detail: 'is too long' }],
  })
}

/** Checks a value against one schema and names it `pointer` where it does not fit. */
export function createValueCheck(schema: JsonSchema, detail: string): (value: unknown) => void {
  const validate: Validator = createValidator(schema)
  return (value) => refuse(detail, validate(value))
}

function refuse(detail: string, errors: readonly ProblemPlace[]): void {
  if (errors.length > 0) throw new ProblemError('validation_failed', { detail, errors })
}

export interface InvocationOptions {
  readonly id: string
  readonly target: Target
  readonly args?: Args
  readonly deadlineMs: number
  readonly context: InvocationContext
  readonly patience?: Invocation['patience']
}

export function toInvocation({ id, target, args = {}, deadlineMs, context, patience }: InvocationOptions): Invocation {
  checkReferences(target, args)
  return { id, target, args, deadline: Date.now() + deadlineMs, context, patience }
}

/** Keys in arguments obey the same limit as keys in paths; their schemas count characters, not bytes. */
function checkReferences(target: Target, args: Args): void {
  if (target.kind === 'create') {
    const { keyParam } = target.entity.create ?? {}
    if (keyParam !== undefined) {
      const pointer = `#/${keyParam}`
      refuse('The key is too long.', keyPlaces(args[keyParam], pointer))
      if (DOTS.includes(String(args[keyParam]))) refuse('This is no key.', [{ pointer, detail: NO_DOTS }])
    }
    for (const param of target.entity.create?.params ?? []) checkParam(param, args)
  }
  if (target.kind === 'call') for (const param of target.method.params) checkParam(param, args)
}

function checkParam(param: MethodDescriptor['params'][number], args: Args): void {
  if (param.references.length === 0) return
  refuse('A key is too long.', keyPlaces(args[param.name], `#/${param.name}`))
}

function keyPlaces(value: unknown, pointer: string): readonly ProblemPlace[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => keyPlaces(item, `${pointer}/${index}`))
  if (typeof value !== 'string' || Buffer.byteLength(value) <= MAX_KEY_BYTES) return []
  return [{ pointer, detail: `a key is at most ${MAX_KEY_BYTES} bytes of UTF-8` }]
}
