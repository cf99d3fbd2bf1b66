/** The one door to a store: Redis when there is a URL, memory otherwise. */
import { openMemoryStore } from './memory/index.js'
import type { StoreOptions } from './options.js'
import type { Store } from './port.js'
import { openRedisStore } from './redis/index.js'

export { storeOptions, type StoreOptions } from './options.js'
export { PartitionMismatch } from './redis/genesis.js'

/**
 * Rejects with `PartitionMismatch` when Redis was set up with another number of partitions,
 * with `StoreUnavailable` when it cannot be reached within 5 s.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return options.redisUrl === '' ? openMemoryStore(options) : openRedisStore(options)
}
