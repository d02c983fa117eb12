/** Metadata of functions behind Kafka topics, for the same call. */
export function statefunDocument(topics: { readonly requestTopic: string; readonly replyTopic: string }): object {
  return {
    formatVersion: 1,
    application: 'shop',
    runtime: { name: 'statefun', replyTopics: [topics.replyTopic] },
    entities: [
      {
        name: 'User',
        key: { name: 'username', schema: { type: 'string' } },
        methods: [
          {
            name: 'buy_item',
            params: [
              { name: 'amount', schema: { type: 'integer' } },
              { name: 'item', schema: { type: 'string' } },
            ],
            returns: { type: 'boolean' },
          },
        ],
        runtime: { function: 'shop/user', valueType: 'shop/request', topic: topics.requestTopic },
      },
    ],
  }
}
