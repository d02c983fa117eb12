import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { Endpoint } from './ingress.ts'
import { StatefunMetadataError } from './metadata-error.ts'
import { readEntityRuntime } from './runtime-members.ts'

/**
 * The endpoints that the metadata names, each once, the most particular first.
 * @throws StatefunMetadataError
 */
export function endpointsOf(entities: readonly EntityDescriptor[]): readonly Endpoint[] {
  const problems = new Set<string>()
  const byFunctions = new Map<string, Endpoint>()
  for (const { name, runtime } of entities) {
    const { endpoints = [] } = readEntityRuntime(runtime, (problem) => problems.add(`${name}: ${problem}`))
    for (const endpoint of endpoints) {
      const known = byFunctions.get(endpoint.functions)
      if (known !== undefined && known.urlPathTemplate !== endpoint.urlPathTemplate) {
        problems.add(
          `${name}: the functions ${endpoint.functions} are at ${showAddress(endpoint)}, and at ${showAddress(known)} too.`,
        )
      }
      byFunctions.set(endpoint.functions, endpoint)
    }
  }
  if (problems.size > 0) throw new StatefunMetadataError([...problems])
  return [...byFunctions.values()].toSorted((a, b) => vagueness(a) - vagueness(b))
}

/** Without the user and password that may stand in it. */
export function showAddress({ urlPathTemplate }: Pick<Endpoint, 'urlPathTemplate'>): string {
  return urlPathTemplate.replace(/\/\/[^/?#]*@/, '//')
}

function vagueness({ functions }: Endpoint): number {
  if (functions === '*') return 2
  return functions.endsWith('/*') ? 1 : 0
}
