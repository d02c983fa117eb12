/** Metadata of many types of entities, each with one method that takes a text. */
export function manyTypesDocument(types: number): object {
  return {
    formatVersion: 1,
    application: 'many',
    runtime: { name: 'stateflow', namespace: 'global' },
    entities: Array.from({ length: types }, (_, index) => entity(typeOf(index))),
  }
}

export function typeOf(index: number): string {
  return `type${index}`
}

function entity(name: string): object {
  return {
    name,
    key: { name: 'id', schema: { type: 'string' } },
    state: { id: { type: 'string' } },
    methods: [
      {
        name: 'note',
        params: [{ name: 'text', schema: { type: 'string' } }],
        returns: { type: 'boolean' },
        readOnly: false,
        runtime: { request: 'InvokeStateful' },
      },
    ],
  }
}
