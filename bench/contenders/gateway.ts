import process from 'node:process'
import { readConfig } from '../../src/gateway/config.ts'
import { setEngineFlags } from '../../src/gateway/engine-flags.ts'
import { buildGateway, type Gateway } from '../../src/gateway/gateway.ts'
import { logDestination, loggerOptions } from '../../src/gateway/logger.ts'
import { leftOver } from '../left-over.ts'
import { listeningPort } from '../listening-port.ts'
import { answerParent } from '../parent-channel.ts'
import { itemOf, KEYS, userOf } from '../work.ts'

// Before the gateway looks whether there is an SDK; not loaded where nobody traces.
const { BENCH_TRACING: traced } = process.env
if (traced !== undefined) (await import('./tracing.ts')).registerTracing(Number(traced))

/** The gateway as `serve` makes it, all settings at their defaults but those of the environment. */
setEngineFlags()
const { config } = readConfig({ env: process.env, argv: [] })
const destination = logDestination(config, false, true)
const gateway = await buildGateway({ config, logger: loggerOptions(config, false, { destination }) })
if (config.runtime === 'embedded') await stockShop(gateway)
await gateway.listen({ port: 0 })
answerParent({
  port: () => listeningPort(gateway),
  /** Replies that came from Kafka, for whomever they were. */
  repliesRead: () =>
    [...gateway.runtimes.adapters.values()]
      .map((adapter) => adapter.counters())
      .reduce((sum, { answered = 0, foreign = 0 }) => sum + answered + foreign, 0),
  reload: async () => (await gateway.reload()).kind,
  leftOver: () => leftOver(gateway.server),
})

/** Items cost nothing and never run out, so that every purchase succeeds and writes both entities. */
async function stockShop({ create, entity }: Gateway): Promise<void> {
  for (let index = 0; index < KEYS; index++) {
    await create('User', { username: userOf(index) })
    await create('Item', { item_name: itemOf(index), price: 0 })
    await entity('Item', itemOf(index)).call('set_stock', { amount: Number.MAX_SAFE_INTEGER })
  }
}
