import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import { functionTypeOf } from '../stateflow/function-type.ts'
import type { StateflowOptions } from '../stateflow/options.ts'
import type { Ingress, IngressRoute } from '../statefun/ingress.ts'

/** The bytes of StateFlow's events, as they are: `stateflow/runtime/flink/statefun.py`. */
const VALUE_TYPE = 'stateflow/byte_type'
const PING_FUNCTION = 'globals/ping'

/** What StateFlow's generator writes into `module.yaml`: topics are functions' names with `_` for `/`. */
export function stateflowIngress(
  entities: readonly EntityDescriptor[],
  { topicPrefix, pingTopic }: Pick<StateflowOptions, 'topicPrefix' | 'pingTopic'>,
): Ingress {
  const route = (functionType: string): IngressRoute => ({ functionType, valueType: VALUE_TYPE })
  const own = entities.flatMap((entity): [string, IngressRoute][] => {
    const { namespace, name } = functionTypeOf(entity)
    return [name, `${name}_create`].map((each) => [`${topicPrefix}${namespace}_${each}`, route(`${namespace}/${each}`)])
  })
  return new Map([...own, [pingTopic, route(PING_FUNCTION)]])
}
