import { defineEntity, Int64, Type } from '../../src/gateway/embedded-library.ts'

/** An entity with an example that no double holds. */
export const Meter = defineEntity({
  name: 'Meter',
  key: 'id',
  state: Type.Object({ id: Type.String(), count: Int64() }),
  create: {
    params: { id: Type.String(), count: Int64() },
    init: ({ id, count }) => ({ id, count }),
    examples: [{ id: 'a', count: 9007199254740993n }],
  },
  methods: () => ({}),
})
