import { type Static, Type } from 'typebox'
import { TOPIC_NAME } from '../kafka/topic-name.ts'

const TopicName = (name: string, options: { readonly env: string; readonly description: string }) =>
  Type.String({ pattern: TOPIC_NAME, default: name, ...options })

/** Settings of the StateFlow runtime. `env` names the environment variable of each. */
export const StateflowOptions = Type.Object(
  {
    serializer: Type.Enum(['pickle', 'json'], {
      env: 'STATEFLOW_SERIALIZER',
      default: 'pickle',
      description: 'The runtime’s serializer. Unmodified StateFlow works with pickle only.',
    }),
    routing: Type.Enum(['dataflow', 'statefun'], {
      env: 'STATEFLOW_ROUTING',
      default: 'dataflow',
      description: 'dataflow: one request topic (PyFlink, Beam). statefun: topics of each entity (Flink StateFun).',
    }),
    requestTopic: TopicName('client_request', {
      env: 'STATEFLOW_REQUEST_TOPIC',
      description: 'Where requests go; with statefun routing, the entities’ own topics are used instead.',
    }),
    replyTopic: TopicName('client_reply', {
      env: 'STATEFLOW_REPLY_TOPIC',
      description: 'Where the runtime answers.',
    }),
    pingTopic: TopicName('globals_ping', {
      env: 'STATEFLOW_PING_TOPIC',
      description: 'Where pings go with statefun routing.',
    }),
    topicPrefix: Type.String({
      env: 'STATEFLOW_TOPIC_PREFIX',
      pattern: '^[A-Za-z0-9._-]{0,100}$',
      default: '',
      description: 'Stands before the names of the entities’ topics with statefun routing.',
    }),
  },
  { additionalProperties: false },
)

export type StateflowOptions = Static<typeof StateflowOptions>
