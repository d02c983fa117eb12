/** What Kafka takes for a topic's name (org.apache.kafka.common.internals.Topic). */
export const TOPIC_NAME = '^[A-Za-z0-9._-]{1,249}$'
