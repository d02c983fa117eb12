import { Type } from 'typebox'
import { defineEntity } from '../../src/runtime-adapters/embedded/define-entity.ts'
import { entityRef } from '../../src/runtime-adapters/embedded/schema-types.ts'

/** Accounts between which money moves: whatever happens, none is made or lost. */
export const Account = defineEntity({
  name: 'Account',
  key: 'id',
  state: Type.Object({ id: Type.String(), balance: Type.Integer(), sent: Type.Integer(), received: Type.Integer() }),
  create: {
    params: { id: Type.String() },
    init: ({ id }) => ({ id, balance: 1_000, sent: 0, received: 0 }),
  },
  methods: (method) => ({
    receive: method({ params: { amount: Type.Integer() } }, (self, { amount }) => {
      self.balance += amount
      self.received += 1
    }),
    /** Returns how many transfers have left this account. */
    transfer: method(
      { params: { amount: Type.Integer(), to: entityRef('Account') }, returns: Type.Integer() },
      (self, { amount, to }, context) => {
        self.balance -= amount
        self.sent += 1
        context.entity('Account', to).call('receive', { amount })
        return self.sent
      },
    ),
  }),
})

export const accounts = ['a', 'b', 'c', 'd', 'e', 'f'] as const
