import { Type } from 'typebox'
import { defineEntity } from '../../src/runtime-adapters/embedded/define-entity.ts'

/** What a step makes of a number. Steps in another order give another one. */
export function stepOf(value: number, x: number): number {
  return (value * 31 + x) % 1_000_003
}

/** Entities that tell in which order they were called. */
export const Chain = defineEntity({
  name: 'Chain',
  key: 'id',
  state: Type.Object({ id: Type.String(), value: Type.Integer(), steps: Type.Integer() }),
  create: { params: { id: Type.String() }, init: ({ id }) => ({ id, value: 0, steps: 0 }) },
  methods: (method) => ({
    step: method({ params: { x: Type.Integer() }, returns: Type.Integer() }, (self, { x }) => {
      self.steps += 1
      self.value = stepOf(self.value, x)
      return self.value
    }),
  }),
})
