import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import { didYouMean } from '../entity-registry/nearest-name.ts'
import type { IsShown } from '../entity-registry/registry.ts'
import type { Capabilities, Key, Target } from '../runtime-adapters/contract.ts'
import type { BatchPlace } from './batch-answer.ts'
import { lineSchema } from './batch-schema.ts'
import type { Operation } from './binding.ts'
import type { EntityRoutesOptions } from './entity-routes.ts'
import { parseBody } from './json-body.ts'
import { ProblemError } from './problem.ts'
import { policyMsOf } from './target.ts'
import { type ArgumentCheck, createArgumentCheck, createKeyCheck, createValueCheck } from './to-invocation.ts'

/** A line that asks for something that there is, with arguments that fit. */
export interface BatchCall {
  readonly kind: 'call'
  readonly place: BatchPlace
  /** Calls of one lane are made one after the other; `undefined`: in any order. */
  readonly lane: string | undefined
  readonly target: Target
  readonly args: Readonly<Record<string, unknown>>
  readonly deadlineMs: number
  readonly idempotencyKey: string | undefined
}

export type ReadLine =
  | BatchCall
  | { readonly kind: 'refused'; readonly place: BatchPlace; readonly problem: ProblemError }

type LineReaderOptions = Pick<EntityRoutesOptions, 'entities' | 'capabilitiesOf' | 'defaultDeadlineMs' | 'maxWaitMs'>

/** What `lineSchema` lets through. */
interface Line {
  readonly id?: string | number | bigint
  readonly entity: string
  readonly key?: unknown
  readonly method: string
  readonly args?: unknown
  readonly idempotencyKey?: string
  readonly waitMs?: number
}

/** What the sender of a batch may do and know; asked before his arguments are looked at. */
export interface LineView {
  readonly isShown: IsShown
  /** @throws ProblemError when no key could make this his to do */
  readonly admit: (operation: Operation) => void
}

export type LineReader = (bytes: Buffer, number: number, view?: LineView) => ReadLine

const everything: LineView = { isShown: () => true, admit: () => {} }

type Asked = Pick<BatchCall, 'lane' | 'target' | 'args'>

/** Makes the function that reads one line; a line that can't be read is an answer of its own and throws nothing. */
export function createLineReader(options: LineReaderOptions): LineReader {
  const { defaultDeadlineMs, maxWaitMs } = options
  const served = new Map(options.entities.map((entity) => [entity.path, serve(entity, options.capabilitiesOf(entity))]))
  const checkLine = createValueCheck(lineSchema, 'This line is not a call.')

  function read(value: unknown, place: BatchPlace, view: LineView): BatchCall {
    checkLine(value)
    // The check has just said so.
    const line = value as Line
    const entity = served.get(line.entity)
    if (entity === undefined || !view.isShown(entity.descriptor)) {
      const shown = options.entities.filter((each) => view.isShown(each)).map(({ path }) => path)
      const hint = didYouMean(line.entity, shown)
      throw new ProblemError('route_not_found', {
        detail: `There is no entity type "${line.entity.slice(0, 64)}".`,
        hint,
      })
    }
    const { lane, target, args } = line.key === undefined ? entity.create(line, view) : entity.call(line, view)
    const deadlineMs =
      line.waitMs === undefined ? policyMsOf(target, defaultDeadlineMs) : Math.min(line.waitMs, maxWaitMs)
    return { kind: 'call', place, lane, target, args, deadlineMs, idempotencyKey: line.idempotencyKey }
  }

  return (bytes, number, view = everything) => {
    let place: BatchPlace = { kind: 'line', number }
    try {
      const value = parseBody(bytes, 'The line')
      place = placeOf(value, place)
      return read(value, place, view)
    } catch (error) {
      if (error instanceof ProblemError) return { kind: 'refused', place, problem: error }
      throw error
    }
  }
}

/** Whatever else is wrong with a line, its answer carries its id. */
function placeOf(value: unknown, place: BatchPlace): BatchPlace {
  if (typeof value !== 'object' || value === null || !('id' in value)) return place
  const { id } = value
  if (typeof id === 'string' ? isShort(id) : typeof id === 'bigint')
    // Narrowed by the line above.
    return { kind: 'id', id: id as string | bigint }
  return typeof id === 'number' && Number.isInteger(id) ? { kind: 'id', id } : place
}

interface Served {
  readonly descriptor: EntityDescriptor
  create(line: Line, view: LineView): Asked
  call(line: Line, view: LineView): Asked
}

/** As a schema counts: in code points, of which each is two units at most. */
function isShort(id: string): boolean {
  const { maxLength } = lineSchema.properties.id
  return id.length <= 2 * maxLength && [...id].length <= maxLength
}

/** What can be asked of one entity, each with its checks. */
function serve(entity: EntityDescriptor, can: Capabilities): Served {
  const { name } = entity
  const keyOf = createKeyCheck(entity, '#/key')
  const laneOf = (key: unknown) => `${name} ${String(key)}`
  const methods = new Map(
    [...entity.methods.values()].map((method) => [method.name, { method, ...createArgumentCheck(method.params) }]),
  )
  const created = can.create ? entity.create : undefined
  const creation = createArgumentCheck(created?.params ?? [])
  return {
    descriptor: entity,
    create(line, { admit }) {
      if (line.method !== 'create') throw missingKey(`Only "create" is called without a key.`)
      if (created === undefined) throw new ProblemError('route_not_found', { detail: `${name} can’t be created.` })
      admit({ kind: 'create', entity })
      const args = checkArgs(creation, line.args)
      // A call that follows its entity's creation in the batch follows it at the runtime.
      const lane = created.keyParam === undefined ? undefined : laneOf(args[created.keyParam])
      return { lane, target: { kind: 'create', entity }, args }
    },
    call(line, { admit, isShown }) {
      const found = methods.get(line.method)
      if (found === undefined) throw unknownMethod(entity, line.method, isShown)
      admit({ kind: 'call', entity, method: found.method, args: 'body' })
      const key: Key = keyOf(line.key)
      const args = checkArgs(found, line.args)
      return { lane: laneOf(key), target: { kind: 'call', entity, key, method: found.method }, args }
    },
  }
}

function missingKey(hint: string): ProblemError {
  return new ProblemError('validation_failed', {
    detail: 'This line is not a call.',
    errors: [{ pointer: '#/key', detail: 'is required' }],
    hint,
  })
}

function unknownMethod(entity: EntityDescriptor, asked: string, isShown: IsShown): ProblemError {
  const { name, methods, create } = entity
  const shown = [...methods.values()].filter((method) => isShown(entity, method)).map((method) => method.name)
  const hint =
    asked === 'create' && create !== undefined
      ? 'A create is without "key": its arguments hold the key.'
      : didYouMean(asked, shown)
  return new ProblemError('route_not_found', { detail: `${name} has no method "${asked.slice(0, 64)}".`, hint })
}

/** The arguments stand one level deeper than in the body of a single call. */
function checkArgs({ check }: Pick<ArgumentCheck, 'check'>, args: unknown): Readonly<Record<string, unknown>> {
  try {
    return check(args)
  } catch (error) {
    throw error instanceof ProblemError ? underArgs(error) : error
  }
}

/** The same problem, its places seen from the line. */
export function underArgs(problem: ProblemError): ProblemError {
  const { errors } = problem.fields
  if (errors === undefined) return problem
  const places = errors.map(({ pointer, detail }) => ({ pointer: pointer.replace('#', '#/args'), detail }))
  return new ProblemError(problem.code, { ...problem.fields, errors: places })
}
