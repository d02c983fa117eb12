import { type AccessRule, refineRule } from './access-rule.ts'
import type { DeclaredError, JsonSchema, MethodBinding, MethodDescriptor, ParameterDescriptor } from './descriptor.ts'
import { pointerSegment } from './metadata-error.ts'
import type { MetadataMethod, MetadataParameter } from './metadata-schema.ts'
import type { Override } from './overrides.ts'
import { isReserved } from './route-path.ts'
import { compileType, type TypeContext } from './type-expression.ts'

/** What `compileMethod` and its like need to know of the place they are in. */
export interface MemberContext {
  readonly types: TypeContext
  readonly overrideOf: (member: string) => Override
  /** What the entity's own override says of access. */
  readonly access: { readonly all: AccessRule; readonly create: AccessRule; readonly read: AccessRule }
  readonly report: (pointer: string, message: string, hint?: string) => void
}

export function compileMethod(method: MetadataMethod, pointer: string, context: MemberContext): MethodDescriptor {
  const override = context.overrideOf(method.name)
  return {
    name: method.name,
    description: method.description ?? '',
    params: compileParameters(method.params, `${pointer}/params`, context),
    returns: compileReturns(method.returns, `${pointer}/returns`, context),
    readOnly: method.readOnly ?? false,
    safe: override.safe ?? false,
    binding: compileBinding(override, pointer, context),
    acceptLate: override.acceptLate ?? false,
    deadlineMs: override.deadlineMs ?? method.deadlineMs,
    errors: compileErrors(method.errors ?? {}, `${pointer}/errors`, context),
    access: refineRule(context.access.all, override),
    examples: method.examples ?? [],
    runtime: method.runtime ?? {},
  }
}

export function compileParameters(
  params: readonly MetadataParameter[],
  pointer: string,
  context: MemberContext,
): readonly ParameterDescriptor[] {
  const seen = new Set<string>()
  return params.map((param, index) => {
    const at = `${pointer}/${index}`
    if (seen.has(param.name)) context.report(`${at}/name`, `there are two parameters "${param.name}".`)
    seen.add(param.name)
    if ((param.schema === undefined) === (param.entity === undefined)) {
      context.report(at, 'expected exactly one of "schema" and "entity".')
    }
    const expression = param.entity === undefined ? (param.schema ?? {}) : { entity: param.entity }
    const { schema, references } = compileType(
      expression,
      param.entity === undefined ? `${at}/schema` : at,
      context.types,
    )
    return {
      name: param.name,
      schema: param.description === undefined ? schema : { ...schema, description: param.description },
      required: param.required ?? true,
      references,
    }
  })
}

/** `{"type":"null"}` says that nothing is returned; left out, anything may be. */
function compileReturns(
  returns: JsonSchema | undefined,
  pointer: string,
  context: MemberContext,
): JsonSchema | undefined {
  if (returns === undefined) return {}
  if (returns.type === 'null') return undefined
  return compileType(returns, pointer, context.types).schema
}

function compileErrors(
  errors: NonNullable<MetadataMethod['errors']>,
  pointer: string,
  context: MemberContext,
): ReadonlyMap<string, DeclaredError> {
  return new Map(
    Object.entries(errors).map(([name, { status = 422, description = '', schema }]) => {
      const at = `${pointer}/${pointerSegment(name)}/schema`
      return [name, { status, description, schema: schema && compileType(schema, at, context.types).schema }]
    }),
  )
}

function compileBinding(
  { verb, path, safe }: Override,
  pointer: string,
  { report }: MemberContext,
): MethodBinding | undefined {
  if (verb === undefined && path === undefined) return undefined
  if (verb === 'GET' && safe !== true) {
    // Whoever sends a GET may send it again, ahead of time or from anywhere.
    report(
      `${pointer}/name`,
      'the overriding verb GET is for methods that change nothing.',
      'Say "safe": true if it is one.',
    )
  }
  if (path !== undefined && path.split('{key}').length !== 2) {
    report(`${pointer}/name`, `the overriding path "${path}" needs {key} exactly once.`)
  }
  if (path !== undefined && isReserved(path)) {
    report(`${pointer}/name`, `the overriding path "${path}" belongs to the gateway.`)
  }
  return { verb, path: path === undefined || path.startsWith('/') ? path : `/${path}` }
}
