import { Type } from 'typebox'
import { defineEntity } from '../../../../src/runtime-adapters/embedded/define-entity.ts'

const make = () =>
  defineEntity({
    name: 'Twin',
    key: 'id',
    state: Type.Object({ id: Type.String() }),
    create: { params: { id: Type.String() }, init: ({ id }) => ({ id }) },
    methods: () => ({}),
  })

export const One = make()
export const Other = make()
