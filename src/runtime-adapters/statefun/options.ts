import { type Static, Type } from 'typebox'
import { TOPIC_NAME } from '../kafka/topic-name.ts'

/** Settings of StateFun’s functions, the same over Kafka and without it. `env` names the environment variable of each. */
export const StatefunOptions = Type.Object(
  {
    replyTopics: Type.Array(Type.String({ pattern: TOPIC_NAME }), {
      env: 'STATEFUN_REPLY_TOPICS',
      default: [],
      description: 'Topics that functions answer to; where any are given, they stand in for those of the metadata.',
    }),
    dispatchTopic: Type.String({
      env: 'STATEFUN_DISPATCH_TOPIC',
      pattern: TOPIC_NAME,
      default: 'gateway-dispatch',
      description: 'Topic of the function `gateway/dispatch`, for entities with `"correlation": "dispatch"`.',
    }),
  },
  { additionalProperties: false },
)

export type StatefunOptions = Static<typeof StatefunOptions>
