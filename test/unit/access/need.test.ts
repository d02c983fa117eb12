import { describe, expect, it } from 'vitest'
import type { AccessRule } from '../../../src/entity-registry/access-rule.ts'
import { type Caller, nobody } from '../../../src/gateway/access/caller.ts'
import { checkCaller, checkOwner, isAdmitted, needOf } from '../../../src/gateway/access/need.ts'

const caller = (scopes: readonly string[], account = 'a'): Caller => ({
  ...{ kind: 'jwt', principal: 'jwt:x|a', subject: 'a' },
  ...{ scopes: new Set(scopes), claims: { account } },
})

const forScopes = (...scopes: readonly string[]): AccessRule => ({ kind: 'restricted', scopes, owners: [] })
const forOwner = (owner: true | string): AccessRule => ({ kind: 'restricted', scopes: [], owners: [owner] })
const open: AccessRule = { kind: 'public' }
const silent: AccessRule = { kind: 'default' }

/** In whatever order: the rules of a whole state come in that of its attributes. */
function ordersOf(...rules: readonly AccessRule[]): readonly (readonly AccessRule[])[] {
  return [rules, rules.toReversed()]
}

describe('several rules at once', () => {
  it('need the scopes of all', () => {
    for (const rules of ordersOf(forScopes('read'), open, forScopes('audit'))) {
      const need = needOf(rules, 'open')
      for (const scopes of [['read'], ['audit'], []]) {
        expect(() => checkCaller(need, caller(scopes))).toThrow('lacks what this needs')
        expect(isAdmitted(need, caller(scopes))).toBe(false)
      }
      expect(() => checkCaller(need, caller(['audit', 'read']))).not.toThrow()
      expect(isAdmitted(need, caller(['audit', 'read']))).toBe(true)
    }
  })

  it('need a key that is the caller’s by all', () => {
    for (const rules of ordersOf(forOwner(true), open, forOwner('account'))) {
      const need = needOf(rules, 'open')
      expect(() => checkOwner(need, caller([], 'b'), 'a')).toThrow('not the caller’s')
      expect(() => checkOwner(need, caller([], 'b'), 'b')).toThrow('not the caller’s')
      expect(() => checkOwner(need, caller([]), 'a')).not.toThrow()
    }
  })

  it('let nobody in where one of them lets nobody in', () => {
    for (const rules of [...ordersOf(silent, forScopes()), ...ordersOf(silent, open)]) {
      const need = needOf(rules, 'deny')
      expect(() => checkCaller(need, caller([]))).toThrow('No rule lets anybody do this')
      expect(isAdmitted(need, caller([]))).toBe(false)
    }
  })

  it('need somebody where one of them does', () => {
    for (const rules of [...ordersOf(silent, open), ...ordersOf(forScopes(), open)]) {
      const need = needOf(rules, 'authenticated')
      expect(() => checkCaller(need, nobody)).toThrow('needs credentials')
      expect(isAdmitted(need, nobody)).toBe(false)
      expect(isAdmitted(need, caller([]))).toBe(true)
    }
  })
})
