import type { Binding } from './binding.ts'

/** What the gateway's own operations are called. */
export const OWN_OPERATION_IDS: readonly string[] = [
  ...['livez', 'readyz', 'list_entities', 'explain_problem', 'metrics', 'batch'],
  ...['get_invocation', 'get_invocation_result', 'get_invocation_events'],
]

/**
 * An operationId for each binding, and none twice: `line` of `Order` and `OrderLine` itself would both be `get_order_line`. Of such, the
 * first keeps the name and the next has a number, so that an entity that is added at the end changes none.
 */
export function operationIdsOf(bindings: readonly Binding[]): ReadonlyMap<Binding, string> {
  const given = new Set(OWN_OPERATION_IDS)
  return new Map(
    bindings.map((binding) => {
      const plain = plainIdOf(binding)
      let id = plain
      for (let number = 2; given.has(id); number++) id = `${plain}_${number}`
      given.add(id)
      return [binding, id]
    }),
  )
}

/** `<entity>_<method>` for methods; `create_user`, `get_user`, `get_user_balance`, `put_user_balance` for the rest. */
function plainIdOf({ verb, operation }: Binding): string {
  const { path } = operation.entity
  const entity = path.replace(/\W+/g, '_')
  switch (operation.kind) {
    case 'create':
      return `create_${entity}`
    case 'find':
    case 'read-state':
      return `get_${entity}`
    case 'read-attribute':
      return `get_${entity}_${operation.attribute.name}`
    case 'write-attribute':
      return `put_${entity}_${operation.attribute.name}`
    case 'call':
      return `${entity}_${operation.method.name}${verb === 'GET' && operation.method.binding?.verb !== 'GET' ? '_safely' : ''}`
  }
}
