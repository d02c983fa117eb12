import { describe, expect, it } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import { MetadataError } from '../../../src/entity-registry/metadata-error.ts'
import { describeModule } from '../../../src/runtime-adapters/statefun/describe-module.ts'
import { createStatefunDialect } from '../../../src/runtime-adapters/statefun/dialect.ts'
import { readModule } from '../../../src/runtime-adapters/statefun/module-file.ts'
import { YamlFileError } from '../../../src/runtime-adapters/statefun/yaml-place.ts'

const endpoint = `kind: io.statefun.endpoints.v2/http
spec:
  functions: shop/*
  urlPathTemplate: http://h:8700/statefun
  maxNumBatchRequests: 500
  transport: { type: io.statefun.transports.v1/async, timeouts: { call: 10s, connect: 2 s } }
`
const ingress = (
  topics: string,
  more = 'startupPosition: { type: group-offsets }',
) => `kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/requests
  address: kafka:9092
  consumerGroupId: shop
  ${more}
  topics: [${topics}]
`
const userTopic = '{ topic: sf-user, valueType: shop/request, targets: [shop/user] }'
const itemTopic = '{ topic: sf-item, valueType: shop/request, targets: [shop/item] }'
const egress = (delivery = 'at-least-once') => `kind: io.statefun.kafka.v1/egress
spec: { id: shop/replies, address: "kafka:9092", deliverySemantic: { type: ${delivery} } }
`
const moduleOf = (...documents: readonly string[]) => readModule('module.yaml', documents.join('---\n'))
const shop = moduleOf(endpoint, ingress(`${userTopic}, ${itemTopic}`), egress())

const functions = (content: unknown) => ({ file: 'functions.json', content })
const user = {
  name: 'User',
  key: { name: 'username', schema: { type: 'string' } },
  methods: [{ name: 'ping', params: [] }],
  runtime: { function: 'shop/user' },
}
const replies = { replyTopics: ['sf-replies'] }

function problemsIn(make: () => unknown): readonly string[] {
  try {
    make()
    return []
  } catch (error) {
    if (error instanceof YamlFileError) return error.problems
    if (error instanceof MetadataError) return [error.message]
    throw error
  }
}

describe('a module', () => {
  it('becomes a document with an entity for each function that a topic leads to', () => {
    const { document } = describeModule(shop)
    expect(document).toMatchObject({
      application: 'shop',
      runtime: {
        endpoints: [
          {
            functions: 'shop/*',
            urlPathTemplate: 'http://h:8700/statefun',
            maxNumBatchRequests: 500,
            callTimeoutMs: 10_000,
            connectTimeoutMs: 2_000,
          },
        ],
        egress: { id: 'shop/replies', delivery: 'at-least-once' },
      },
      entities: [
        { name: 'User', runtime: { function: 'shop/user', topic: 'sf-user', valueType: 'shop/request' } },
        { name: 'Item', runtime: { function: 'shop/item', topic: 'sf-item', valueType: 'shop/request' } },
      ],
    })
  })

  it('fills in what a functions file leaves out, and the result can be served', () => {
    const { document, notes } = describeModule(
      shop,
      functions({ application: 'mine', runtime: replies, entities: [user] }),
    )
    expect(document.application).toBe('mine')
    expect(document.entities[0]?.runtime).toEqual({
      function: 'shop/user',
      topic: 'sf-user',
      valueType: 'shop/request',
    })
    expect(notes).toEqual(['Set KAFKA_BROKERS=kafka:9092.', 'No entity is described for shop/item (topic sf-item).'])
    const dialect = createStatefunDialect({ entities: compileEntities([{ file: 'x', document }]) })
    expect(dialect.topics).toEqual({ requests: ['sf-user'], replies: ['sf-replies'] })
  })

  it('gives back what it was given, so that it can be described again after a change', () => {
    const { document } = describeModule(shop)
    expect(describeModule(shop, functions(document)).document).toEqual(document)
  })

  it('of version 3.0, with everything in one document, is read too', () => {
    const { document, notes } = describeModule(
      moduleOf(`version: '3.0'
module:
  meta: { type: remote }
  spec:
    endpoints:
    - endpoint: { meta: { kind: http }, spec: { functions: global/User, urlPathTemplate: "http://h:1/s" } }
    ingresses:
    - ingress:
        meta: { id: stateflow/kafka-ingress, type: io.statefun.kafka/ingress }
        spec:
          address: localhost:9092
          topics: [{ targets: [global/User], topic: global_User, valueType: stateflow/byte_type }]
    egresses:
    - egress: { meta: { id: stateflow/kafka-egress, type: io.statefun.kafka/egress }, spec: { address: "localhost:9092" } }
`),
    )
    expect(document.entities[0]?.runtime).toEqual({
      function: 'global/User',
      topic: 'global_User',
      valueType: 'stateflow/byte_type',
    })
    expect(document.runtime).toMatchObject({ egress: { id: 'stateflow/kafka-egress', delivery: 'at-least-once' } })
    expect(notes[0]).toMatch(/exporters\/stateflow/)
    expect(notes.join('\n')).toMatch(/starts at "latest"/)
  })

  it('of version 1 has its timeouts beside the rest', () => {
    const v1 = endpoint
      .replace('v2/http', 'v1/http')
      .replace(/transport: .*/, 'timeouts: { call: 2 min, connect: 500 }')
    const { endpoints } = moduleOf(v1, ingress(userTopic), egress())
    expect(endpoints[0]).toMatchObject({ callTimeoutMs: 120_000, connectTimeoutMs: 500 })
  })

  it('names functions apart that only their namespaces tell apart', () => {
    const other = '{ topic: b, valueType: shop/request, targets: [club/user] }'
    const { document } = describeModule(moduleOf(endpoint, ingress(`${userTopic}, ${other}`), egress()))
    expect(document.entities.map(({ name }) => name)).toEqual(['ShopUser', 'ClubUser'])
  })

  it('serves dispatched functions, of which it knows nothing itself', () => {
    const dispatch = ingress('{ topic: calls, valueType: gateway/request, targets: [gateway/dispatch] }')
    const module = moduleOf(endpoint, dispatch, egress())
    expect(problemsIn(() => describeModule(module))).toEqual([expect.stringMatching(/--functions/)])
    const runtime = { ...user.runtime, correlation: 'dispatch', valueType: 'shop/request' }
    const { notes } = describeModule(module, functions({ runtime: replies, entities: [{ ...user, runtime }] }))
    expect(notes).toEqual(['Set KAFKA_BROKERS=kafka:9092.', 'Set STATEFUN_DISPATCH_TOPIC=calls.'])
  })
})

describe('notes', () => {
  const fan = '{ topic: all, valueType: shop/request, targets: [shop/user, shop/item] }'
  const notesOf = (...documents: readonly string[]) => describeModule(moduleOf(...documents)).notes.join('\n')

  it('say that several functions would answer', () => {
    const notes = notesOf(endpoint, ingress(`${fan}, ${userTopic}`), egress())
    expect(notes).toMatch(
      /all leads to shop\/user and shop\/item: each call runs all of them\. The first answer counts/,
    )
    expect(notes).toMatch(/all and sf-user lead to shop\/user; User uses sf-user/)
  })

  it.each([
    ['calls would be lost', [endpoint, ingress(userTopic, ''), egress()], /starts at "latest"/],
    ['answers may be lost', [endpoint, ingress(userTopic), egress('none')], /delivers with "none"/],
    ['answers wait', [endpoint, ingress(userTopic), egress('exactly-once')], /waits for the next checkpoint/],
    ['nobody can answer', [endpoint, ingress(userTopic)], /no Kafka egress/],
    ['nobody is there', [ingress(userTopic), egress()], /No endpoint of the module serves shop\/user/],
    ['there are no methods', [endpoint, ingress(userTopic), egress()], /User \(shop\/user\) has no methods/],
    ['nobody knows the reply topics', [endpoint, ingress(userTopic), egress()], /set "runtime\.replyTopics"/],
    [
      'values are bare',
      [endpoint, ingress(userTopic.replace('shop/request', 'io.statefun.types/string')), egress()],
      /needs "correlation": "dispatch"/,
    ],
    [
      'something is not used',
      [endpoint, ingress(userTopic), egress(), 'kind: io.statefun.kinesis.v1/egress\nspec: { id: a/b }\n'],
      /kinesis\.v1\/egress is not used/,
    ],
  ])('say when %s', (_name, documents, note) => {
    expect(notesOf(...documents)).toMatch(note)
  })
})

describe('a module that can’t be used names the line', () => {
  it.each([
    ['no YAML', 'kind: [\n', /^module\.yaml:2: not YAML/],
    ['nothing', '', /^module\.yaml:1: no component/],
    ['something else', 'services: {}\n', /^module\.yaml:1: is neither a component/],
    [
      'a misspelt kind',
      'kind: io.statefun.kafka.v1/ingres\nspec: {}\n',
      /^module\.yaml:1: kind .*Did you mean "io\.statefun\.kafka\.v1\/ingress"/,
    ],
    [
      'no spec',
      'kind: io.statefun.kafka.v1/egress\n',
      /^module\.yaml:1: io\.statefun\.kafka\.v1\/egress has no "spec"/,
    ],
    [
      'no URL',
      'kind: io.statefun.endpoints.v2/http\nspec:\n  functions: shop/*\n',
      /^module\.yaml:3: spec\.urlPathTemplate is missing/,
    ],
    [
      'a function without a namespace',
      endpoint.replace('shop/*', 'shop'),
      /^module\.yaml:3: spec\.functions is "shop", which is not of the form/,
    ],
    [
      'a duration of no unit',
      endpoint.replace('10s', '10 parsecs'),
      /^module\.yaml:6: spec\.transport\.timeouts\.call is "10 parsecs"/,
    ],
    [
      'a topic without targets',
      ingress('{ topic: a, valueType: b/c }'),
      /^module\.yaml:7: spec\.topics\.0 has no "targets"/,
    ],
    [
      'a topic without a value type',
      ingress('{ topic: a, targets: [b/c] }'),
      /^module\.yaml:7: spec\.topics\.0\.valueType is missing/,
    ],
    ['topics that are no list', ingress('').replace('[]', 'x'), /^module\.yaml:7: spec\.topics must be a list/],
    [
      'a placeholder',
      ingress(userTopic.replace('sf-user', '"\u0024{T}"')),
      /^module\.yaml:7: spec\.topics\.0\.topic is "\$\{T\}"/,
    ],
  ])('%s', (_name, text, problem) => {
    expect(problemsIn(() => moduleOf(text))).toContainEqual(expect.stringMatching(problem))
  })
})

describe('a functions file that does not fit', () => {
  it.each([
    [
      'an entity of no function',
      { entities: [{ ...user, runtime: {} }] },
      /entities\/0: its "runtime\.function" is missing/,
    ],
    [
      'a misspelt function',
      { entities: [{ ...user, runtime: { function: 'shop/usr' } }] },
      /leads to shop\/usr\. Did you mean "shop\/user"/,
    ],
    [
      'a topic that leads elsewhere',
      { entities: [{ ...user, runtime: { function: 'shop/user', topic: 'sf-item' } }] },
      /"sf-item" does not lead/,
    ],
    [
      'dispatch without its function',
      { entities: [{ ...user, runtime: { function: 'shop/user', correlation: 'dispatch' } }] },
      /no topic of the module leads to gateway\/dispatch/,
    ],
    ['no metadata', { entities: [{ ...user, method: [] }] }, /unknown member "method"/],
    ['no entities', { entities: [] }, /--functions/],
  ])('is refused: %s', (_name, content, problem) => {
    expect(problemsIn(() => describeModule(shop, functions(content)))).toContainEqual(expect.stringMatching(problem))
  })
})
