import type { JsonSchema } from '../descriptor.ts'
import { covers } from './schema-covers.ts'

/** One thing that is not as it was. */
export interface EntityChange {
  readonly entity: string
  /** A method, an attribute, `create` or `key`; `undefined`: the entity itself. */
  readonly member: string | undefined
  readonly kind: 'added' | 'gone' | 'hidden' | 'changed'
  /** A caller who did right before may be refused or misled now. */
  readonly breaks: boolean
  /** One sentence without its subject, for an operator. */
  readonly text: string
}

/** What happened to one member, before it is said whose it is. */
export type Finding = Pick<EntityChange, 'kind' | 'breaks' | 'text'>

export function changed(text: string, breaks: boolean): Finding {
  return { kind: 'changed', breaks, text }
}

/** `User.buy_item: takes no argument "amount" any more` */
export function showChange({ entity, member, text }: EntityChange): string {
  return `${entity}${member === undefined ? '' : `.${member}`}: ${text}`
}

/** Callers send it: whatever was taken must still be. */
export function sentType(what: string, before: JsonSchema, now: JsonSchema): readonly Finding[] {
  switch (covers(now, before)) {
    case 'no':
      return [changed(`${what} takes less than before`, true)]
    case 'unknown':
      return [changed(`${what} has changed in a way that can’t be compared`, true)]
    case 'yes':
      return covers(before, now) === 'yes' ? [] : [changed(`${what} takes more than before`, false)]
  }
}

/** Callers read it: nothing may come that did not come before. `undefined`: nothing at all comes. */
export function readType(
  what: string,
  before: JsonSchema | undefined,
  now: JsonSchema | undefined,
): readonly Finding[] {
  if (before === undefined && now === undefined) return []
  if (before === undefined || now === undefined) {
    return [changed(`${what} ${now === undefined ? 'is nothing now' : 'was nothing before'}`, true)]
  }
  switch (covers(before, now)) {
    case 'no':
      return [changed(`${what} may be what it was not before`, true)]
    case 'unknown':
      return [changed(`${what} has changed in a way that can’t be compared`, true)]
    case 'yes':
      return covers(now, before) === 'yes' ? [] : [changed(`${what} is narrower than before`, false)]
  }
}
