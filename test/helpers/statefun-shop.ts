import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './gateway-process.ts'
import type { Kafka } from './kafka-broker.ts'
import { type StatefunCluster, startStatefunCluster } from './statefun-cluster.ts'
import { type Functions, startTypescriptFunctions } from './statefun-functions.ts'
import { createTemporaryFolder } from './temporary-folder.ts'
import { unique } from './unique.ts'

/** The TypeScript shop on a real cluster, with topics of its own. */
export interface ShopCluster {
  readonly cluster: StatefunCluster
  readonly functions: Functions
  /** The path of a metadata document that names these topics. */
  readonly metadata: string
  readonly requestTopics: readonly string[]
  close(): Promise<void>
}

const EXAMPLE = join(root, 'examples/statefun-typescript')

export async function startShopCluster(kafka: Kafka): Promise<ShopCluster> {
  const prefix = unique('shop')
  const requestTopics = [`${prefix}-user`, `${prefix}-item`]
  const replies = `${prefix}-replies`
  await kafka.createTopics(...requestTopics.map((name) => ({ name, partitions: 3 })), { name: replies, partitions: 2 })
  const folder = createTemporaryFolder()
  const functions = await startTypescriptFunctions(replies)
  const metadata = folder.write('metadata.json', prefixed(readExample('metadata.json'), prefix))
  const module = prefixed(readExample('module.yaml'), prefix)
    .replaceAll('127.0.0.1:9092', kafka.brokers.join(','))
    .replace('http://127.0.0.1:8700/', functions.url)
    .replace('consumerGroupId: shop', `consumerGroupId: ${prefix}`)
  const close = async () => {
    await functions.close()
    folder.close()
  }
  try {
    const cluster = await startStatefunCluster({ module })
    return {
      cluster,
      functions,
      metadata,
      requestTopics,
      close: async () => {
        await cluster.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

function readExample(name: string): string {
  return readFileSync(join(EXAMPLE, name), 'utf8')
}

/** The examples' topics are `shop-user`, `shop-item` and `shop-replies`. */
function prefixed(text: string, prefix: string): string {
  return text.replaceAll(/\bshop-(?=user|item|replies)/g, `${prefix}-`)
}
