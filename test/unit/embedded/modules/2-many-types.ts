import { Type } from 'typebox'
import { defineEntity } from '../../../../src/runtime-adapters/embedded/define-entity.ts'
import { entityRef, Int64 } from '../../../../src/runtime-adapters/embedded/schema-types.ts'

const Ticket = defineEntity({
  name: 'Ticket',
  description: 'Makes up its own key.',
  key: 'number',
  state: Type.Object({
    number: Int64({ description: 'The key.' }),
    pair: Type.Tuple([Type.String(), Type.Integer()]),
    seen: Type.Optional(Type.Record(Type.String(), Int64())),
  }),
  create: { params: {}, init: () => ({ number: 2n ** 60n, pair: ['a', 1] as [string, number] }) },
  methods: (method) => ({
    join: method(
      {
        params: {
          others: Type.Array(entityRef<bigint>('Ticket')),
          next: Type.Optional(entityRef<bigint>('Ticket', { description: 'The next one.' })),
          counts: Type.Record(Type.String(), Int64()),
          choice: Type.Union([Type.Null(), Int64({ minimum: 0 })]),
        },
        returns: Type.Array(Type.String()),
        deadlineMs: 500,
        errors: { Closed: { status: 409, description: 'Too late.', schema: Type.Object({ since: Type.Integer() }) } },
        examples: [{ others: [1n], counts: { a: 2n }, choice: null }],
      },
      (_self, { others, counts, choice }) =>
        [...others, ...Object.values(counts), choice].map((value) => (value === null ? 'null' : typeof value)),
    ),
  }),
})

export default [Ticket]
