import { Type } from 'typebox'
import { type CallContext, defineEntity } from '../../../src/runtime-adapters/embedded/define-entity.ts'
import { EntityError } from '../../../src/runtime-adapters/embedded/entity-error.ts'
import { entityRef, Int64 } from '../../../src/runtime-adapters/embedded/schema-types.ts'

class BrokenGlass extends Error {}

/** What a wrong module may do, past TypeScript. */
const wild: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  nan: Number.NaN,
  date: new Date(0),
  map: new Map(),
  function: () => 1,
  'inner undefined': { a: [1, undefined] },
  cycle: cycle(),
}
export const wildNames = Object.keys(wild)

function cycle(): object {
  const ring: { next?: object } = {}
  ring.next = ring
  return ring
}

/** Errors that can hardly be read. */
const oddErrors: Readonly<Record<string, unknown>> = {
  'a message that is no text': Object.assign(new Error(), { message: { a: 1 } }),
  'no message': Object.assign(new Error(), { message: undefined }),
  'a message that throws': Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('no message')
    },
  }),
  'no class': Object.assign(new Error('x'), { constructor: undefined }),
  'no name': Object.assign(new Error('x'), { name: undefined }),
  'a proxy that throws': new Proxy(new Error('x'), {
    get() {
      throw new Error('no member')
    },
  }),
}
export const oddErrorNames = Object.keys(oddErrors)

/** What a method has kept past its call. */
export const kept: { context?: CallContext } = {}

/** An entity whose methods do everything that goes well or wrong. */
export const Probe = defineEntity({
  name: 'Probe',
  key: 'id',
  state: Type.Object({
    id: Type.String(),
    count: Type.Integer(),
    big: Int64(),
    ratio: Type.Number(),
    notes: Type.Array(Type.String()),
    any: Type.Unknown(),
    label: Type.Optional(Type.String()),
  }),
  create: {
    params: { id: Type.String(), count: Type.Optional(Type.Integer()) },
    init: ({ id, count = 0 }) => ({ id, count, big: 0n, ratio: 0, notes: [], any: null }),
  },
  methods: (method) => ({
    add: method({ params: { x: Type.Integer() }, returns: Type.Integer() }, (self, { x }) => {
      self.count += x
      return self.count
    }),
    note: method({ params: { text: Type.String() }, returns: Type.Array(Type.String()) }, (self, { text }) => {
      self.notes.push(text)
      return self.notes
    }),
    notes: method({ returns: Type.Array(Type.String()), readOnly: true }, (self) => self.notes),
    label: method({ params: { text: Type.Optional(Type.String()) } }, (self, { text }) => {
      if (text === undefined) delete self.label
      else self.label = text
    }),
    refuse: method({ errors: { Refused: { status: 409 } } }, (self) => {
      self.count = -1
      throw new EntityError('Refused', 'not today', { at: self.count })
    }),
    break: method({}, (self) => {
      self.notes.push('broken')
      throw new BrokenGlass('shards')
    }),
    break_by: method({ params: { text: Type.String() } }, (_self, { text }) => {
      throw new BrokenGlass(`shards of ${text}`)
    }),
    throw_text: method({}, () => {
      throw 'plain text'
    }),
    later: method({ returns: Type.Unknown() }, async (self) => {
      self.count = -1
      throw new Error('nobody waits for this')
    }),
    keep: method({ params: { what: Type.String() } }, (self, { what }) => {
      self.count = -1
      self.any = wild[what]
    }),
    give: method({ params: { what: Type.String() }, returns: Type.Unknown() }, (self, { what }) => {
      self.count = -1
      return wild[what]
    }),
    lie: method({ returns: Type.Integer() }, (self) => {
      self.count = -1
      return JSON.parse('"text"')
    }),
    widen: method({}, (self) => {
      self.count = JSON.parse('1.5')
    }),
    rename: method({}, (self) => {
      self.id = 'other'
    }),
    invent: method({}, (self) => {
      Object.assign(self, { colour: 'red' })
    }),
    pretend: method({ readOnly: true }, (self) => {
      self.count += 1
    }),
    show: method({ returns: Type.Unknown() }, (self) => ({ ...self })),
    set_big: method({ params: { x: Int64() }, returns: Type.String() }, (self, { x }) => {
      self.big = x
      return `${typeof x} ${self.big}`
    }),
    set_ratio: method({ params: { x: Type.Number() }, returns: Type.String() }, (self, { x }) => {
      self.ratio = x
      return typeof self.ratio
    }),
    ring: method({ params: { other: entityRef('Probe') } }, (self, { other }, context) => {
      self.count += 1
      context.entity('Probe', other).call('ring', { other: context.key })
    }),
    add_to: method(
      { params: { other: entityRef('Probe'), args: Type.Unknown(), method: Type.String() }, returns: Type.Unknown() },
      (self, { other, args, method: name }, context) => {
        self.count += 1
        return context.entity('Probe', other).call(name, Object(args))
      },
    ),
    forge: method({ params: { other: entityRef('Probe') }, returns: Type.Unknown() }, (_self, { other }, context) => {
      const notes: unknown = context.entity('Probe', other).call('notes')
      return Object(notes).push('forged')
    }),
    look_at: method(
      { params: { other: entityRef('Probe'), method: Type.String(), caught: Type.Optional(Type.Boolean()) } },
      (self, { other, method: name, caught = false }, context) => {
        self.count += 1
        try {
          context.entity('Probe', other).call(name)
        } catch (error) {
          if (!caught) throw error
        }
      },
    ),
    pretend_back: method({ readOnly: true }, (self, _args, context) => {
      context.entity('Probe', self.id === 'a' ? 'b' : 'a').call('add', { x: 1 })
    }),
    pretend_and_fail: method({ readOnly: true }, (self) => {
      self.notes.push('kept?')
      throw new EntityError('Refused', 'not today')
    }),
    throw_odd: method({ params: { what: Type.String() } }, (self, { what }) => {
      self.count = -1
      throw oddErrors[what]
    }),
    promise_args: method({}, (_self, _args, context) => {
      context.entity('Probe', 'b').call('label', Promise.reject(new Error('nobody waits for this')))
    }),
    promise_key: method({}, (_self, _args, context) => {
      const key: unknown = Promise.reject(new Error('nobody waits for this'))
      context.entity('Probe', key as string).exists()
    }),
    promise_notes: method({}, (self) => {
      self.notes = [1, 2].map(() => Promise.reject(new Error('nobody waits for this'))) as never
    }),
    keep_context: method({}, (_self, _args, context) => {
      kept.context = context
    }),
    swallow: method({ params: { other: entityRef('Probe') }, returns: Type.Boolean() }, (_self, { other }, context) => {
      try {
        context.entity('Probe', other).get('count')
        return true
      } catch {
        return context.entity('Probe', other).exists()
      }
    }),
  }),
})
