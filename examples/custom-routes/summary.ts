import type { FastifyInstance } from 'fastify'

/** What a user could afford of an item: one route over two entities. */
export default async function summary(app: FastifyInstance): Promise<void> {
  app.get<{ Params: { username: string; item: string } }>('/user/:username/affords/:item', {
    schema: {
      operationId: 'user_affords',
      tags: ['User'],
      summary: 'How many of an item can a user pay for, and are there so many?',
      params: {
        type: 'object',
        properties: {
          username: { type: 'string', minLength: 1, examples: ['alice'] },
          item: { type: 'string', minLength: 1, examples: ['laptop'] },
        },
        required: ['username', 'item'],
      },
      response: {
        200: {
          type: 'object',
          properties: {
            balance: { type: 'integer' },
            price: { type: 'integer' },
            stock: { type: 'integer' },
            affordable: { type: 'integer' },
          },
          required: ['balance', 'price', 'stock', 'affordable'],
        },
      },
    },
    handler: async ({ params: { username, item } }) => {
      const wanted = app.gateway.entity('Item', item)
      const [balance, price, stock] = await Promise.all([
        app.gateway.entity('User', username).call('get_balance'),
        wanted.read('price'),
        wanted.read('stock'),
      ])
      // What costs nothing is paid for whatever the purse has in it; who is in debt pays for nothing else.
      const paid = Number(price) > 0 ? Math.max(0, Math.floor(Number(balance) / Number(price))) : Infinity
      const affordable = Math.min(paid, Number(stock))
      return { balance, price, stock, affordable }
    },
  })
}
