import { expect, it } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import { loadMetadata } from '../../../src/entity-registry/load-metadata.ts'
import { createStateflowDialect } from '../../../src/runtime-adapters/stateflow/dialect.ts'
import { stateflowIngress } from '../../../src/runtime-adapters/statefun-endpoint/stateflow-ingress.ts'

const entities = compileEntities(loadMetadata(['test/golden/stateflow/demo.metadata.json']))

it('leads StateFlow’s topics to the functions that its generator names', () => {
  const ingress = stateflowIngress(entities, { topicPrefix: '', pingTopic: 'globals_ping' })
  expect(Object.fromEntries([...ingress].map(([topic, { functionType }]) => [topic, functionType]))).toEqual({
    global_Item: 'global/Item',
    global_Item_create: 'global/Item_create',
    global_User: 'global/User',
    global_User_create: 'global/User_create',
    globals_ping: 'globals/ping',
  })
  expect(new Set([...ingress.values()].map(({ valueType }) => valueType))).toEqual(new Set(['stateflow/byte_type']))
})

it('knows every topic that the dialect may name, with a prefix too', () => {
  const options = { topicPrefix: 'dev.', pingTopic: 'dev.globals_ping' }
  const ingress = stateflowIngress(entities, options)
  const { requests } = createStateflowDialect({ ...options, routing: 'statefun', entities }).topics
  expect(requests.filter((topic) => !ingress.has(topic))).toEqual([])
  expect(requests.length).toBeGreaterThan(3)
})
