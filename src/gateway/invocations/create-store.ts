import type { InvocationStore } from '../../routes/invocation-store.ts'
import type { Config } from '../config.ts'
import { createMemoryStore } from './memory-store.ts'

/** Redis where its address is given, this process's memory otherwise. */
export async function createStore({ redisUrl, retentionMs, maxInvocations }: Config): Promise<InvocationStore> {
  if (redisUrl !== undefined) throw new Error('REDIS_URL: the store in Redis is not there yet.')
  return createMemoryStore({ retentionMs, maxRecords: maxInvocations })
}
