/** Entities with this many methods in all, as a statefun-endpoint runtime takes them. */
export function metadataOf(methods: number): object {
  const entities = Math.max(1, Math.round(methods / METHODS_PER_ENTITY))
  return {
    formatVersion: 1,
    application: 'many',
    runtime: {
      replyTopics: ['many-replies'],
      // Nobody listens there: no call is made.
      endpoints: [{ functions: 'many/*', urlPathTemplate: 'http://127.0.0.1:9/' }],
    },
    entities: Array.from({ length: entities }, (_, index) => entityOf(index, Math.round(methods / entities))),
  }
}

const METHODS_PER_ENTITY = 20

function entityOf(index: number, methods: number): object {
  return {
    name: `Entity${index}`,
    description: 'One of many.',
    runtime: { function: 'many/entity', valueType: 'many/request' },
    key: { name: 'id', schema: { type: 'string' } },
    state: { id: { type: 'string' }, amount: { type: 'integer' } },
    create: { params: [{ name: 'id', schema: { type: 'string' } }] },
    methods: Array.from({ length: methods }, (_, method) => methodOf(method)),
  }
}

/** Two arguments, one of them with members of its own, as methods have them. */
function methodOf(index: number): object {
  return {
    name: `change_${index}`,
    description: 'Changes something, and tells what it has become.',
    params: [
      { name: 'amount', description: 'How much.', schema: { type: 'integer', minimum: 0, maximum: 1_000_000 } },
      {
        name: 'reason',
        description: 'Why.',
        schema: {
          type: 'object',
          properties: { text: { type: 'string', maxLength: 200 }, tags: { type: 'array', items: { type: 'string' } } },
          required: ['text'],
          additionalProperties: false,
        },
      },
    ],
    returns: { type: 'object', properties: { amount: { type: 'integer' } }, additionalProperties: true },
  }
}
