import { nonce } from '../nonce.js'
import type { RedisContext } from './context.js'
import { GLOBAL } from './keys.js'
import { SCRIPTS } from './scripts.js'

/** Redis was set up with another number of partitions: events would be looked for where they are not. */
export class PartitionMismatch extends Error {
  override readonly name = 'PartitionMismatch'
  constructor(readonly asked: number, readonly stored: string) {
    super(`HUBBUB_PARTITIONS: '${asked}' is not allowed; allowed: ${stored}, with which this Redis was set up`)
  }
}

/**
 * Sets an empty Redis up: number of partitions, and a first epoch for each. Does nothing to one that is set up already,
 * so it runs at each start and after each reconnection (Redis may have come back empty).
 */
export async function establish(context: RedisContext): Promise<void> {
  const { partitions } = context.options
  const stored = await context.connection.call('establish', async (client) => {
    await client.hSetNX(GLOBAL.config, 'partitions', String(partitions))
    return client.hGet(GLOBAL.config, 'partitions')
  })
  if (stored !== String(partitions)) throw new PartitionMismatch(partitions, String(stored))
  await Promise.all(Array.from({ length: partitions }, (_, partition) => firstEpoch(context, partition)))
}

export async function firstEpoch(context: RedisContext, partition: number): Promise<void> {
  await context.run('establish', SCRIPTS.genesis, [context.keys(partition).epochs], [nonce()])
}
