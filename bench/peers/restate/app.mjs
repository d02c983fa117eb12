import process from 'node:process'
import { object, serve } from '@restatedev/restate-sdk'

// Every purchase is counted in the object's state, as an entity would do it.
const user = object({
  name: 'User',
  handlers: {
    async buy_item(context, { amount }) {
      const bought = (await context.get('bought')) ?? 0
      context.set('bought', bought + amount)
      return true
    },
  },
})

await serve({ services: [user], port: Number(process.env.BENCH_PORT) })
