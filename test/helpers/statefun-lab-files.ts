import { stringify } from 'yaml'
import type { MetadataDocument, MetadataEntity } from '../../src/entity-registry/metadata-schema.ts'

/** What the gateway and a cluster are told of the functions in `statefun-lab.ts`. */

export interface LabTopics {
  readonly left: string
  readonly right: string
  readonly replies: string
}

export function labTopics(run: string): LabTopics {
  return { left: `lab-${run}-left`, right: `lab-${run}-right`, replies: `lab-${run}-replies` }
}

/** @returns the document for functions at this URL */
export function labMetadata(topics: LabTopics): (url: string) => MetadataDocument {
  return (urlPathTemplate) => {
    // As long as a cluster's own default: a busy machine is no difference between the two.
    const endpoints = [{ functions: 'lab/*', urlPathTemplate, callTimeoutMs: 120_000 }]
    const runtime = { name: 'lab', replyTopics: [topics.replies], endpoints }
    const entities = [entity('Left', 'lab/left', topics.left), entity('Right', 'lab/right', topics.right)]
    return { formatVersion: 1, application: 'lab', runtime, entities }
  }
}

function entity(name: string, functionType: string, topic: string): MetadataEntity {
  return {
    name,
    key: { name: 'id', schema: { type: 'string' } },
    methods: [
      {
        name: 'run',
        params: [
          { name: 'steps', schema: { type: 'array' } },
          { name: 'stumble', schema: { type: 'object' }, required: false },
        ],
      },
      { name: 'add', params: [{ name: 'x', schema: { type: 'integer' } }] },
      { name: 'report', params: [] },
    ],
    runtime: { function: functionType, topic, valueType: 'lab/request' },
  }
}

export function labModule(
  topics: LabTopics,
  { brokers, url }: { readonly brokers: readonly string[]; readonly url: string },
): string {
  const address = brokers.join(',')
  const topic = (name: string, target: string) => ({ topic: name, valueType: 'lab/request', targets: [target] })
  return [
    { kind: 'io.statefun.endpoints.v2/http', spec: { functions: 'lab/*', urlPathTemplate: url } },
    {
      kind: 'io.statefun.kafka.v1/ingress',
      spec: {
        id: 'lab/requests',
        address,
        consumerGroupId: topics.replies,
        startupPosition: { type: 'earliest' },
        topics: [topic(topics.left, 'lab/left'), topic(topics.right, 'lab/right')],
      },
    },
    { kind: 'io.statefun.kafka.v1/egress', spec: { id: 'lab/replies', address } },
  ]
    .map((part) => stringify(part))
    .join('---\n')
}
