import { SettingError } from '../../settings/read.js'
import { nonce } from '../nonce.js'
import { StoreUnavailable } from '../port.js'
import type { RedisContext } from './context.js'
import { GLOBAL } from './keys.js'
import { SCRIPTS } from './scripts.js'

/** Redis was set up with another number of partitions: events would be looked for where they are not. */
export class PartitionMismatch extends SettingError {
  constructor(readonly asked: number, readonly stored: string) {
    super(`HUBBUB_PARTITIONS: '${asked}' is not allowed; allowed: ${stored}, with which this Redis was set up`)
  }
}

/** Redis would throw keys away when its memory is full: a topic's index, a session, in the end the journal, and nobody would know (I2). */
export class EvictingPolicy extends SettingError {
  constructor(readonly policy: string, readonly maxmemory: number) {
    super(
      `REDIS_URL: this Redis evicts keys when its ${maxmemory} bytes of maxmemory are full (maxmemory-policy '${policy}'), and events with them; ` +
        `allowed: noeviction. Mend it with 'redis-cli CONFIG SET maxmemory-policy noeviction', and with 'maxmemory-policy noeviction' in redis.conf`,
    )
  }
}

/**
 * Sets an empty Redis up: number of partitions, and a first epoch for each. Does nothing to one that is set up already,
 * so it runs at each start and after each reconnection (Redis may have come back empty, or be configured otherwise).
 * Rejects with `PartitionMismatch` or `EvictingPolicy`.
 */
export async function establish(context: RedisContext): Promise<void> {
  const { partitions } = context.options
  const stored = await context.call('establish', GLOBAL.config, async (client) => {
    // A full Redis takes no new field; one that is set up already is used all the same, for somebody must trim it.
    const before = await client.hGet(GLOBAL.config, 'partitions')
    if (before !== null) return before
    await client.hSetNX(GLOBAL.config, 'partitions', String(partitions))
    return client.hGet(GLOBAL.config, 'partitions')
  })
  if (stored !== String(partitions)) throw new PartitionMismatch(partitions, String(stored))
  await Promise.all(Array.from({ length: partitions }, (_, partition) => firstEpoch(context, partition)))
  await requireNoEviction(context)
}

export async function firstEpoch(context: RedisContext, partition: number): Promise<void> {
  await context.run('establish', SCRIPTS.genesis, [context.keys(partition).epochs], [nonce()])
}

/** Of every master. By INFO, for CONFIG is forbidden to whoever should not reconfigure Redis. */
async function requireNoEviction(context: RedisContext): Promise<void> {
  for (const memory of await memoryOf(context)) requireKeeping(context, memory)
}

function requireKeeping(context: RedisContext, { policy, maxmemory }: Memory): void {
  if (policy === undefined) return context.report('eviction', new Error('whether this Redis evicts keys is not known: INFO does not say its maxmemory-policy'))
  if (policy === 'noeviction') return
  if (maxmemory > 0) throw new EvictingPolicy(policy, maxmemory)
  context.report('eviction', new Error(`maxmemory-policy is '${policy}': harmless without a maxmemory, but with one this Redis would lose events; set it to noeviction`))
}

interface Memory {
  policy?: string
  maxmemory: number
}

async function memoryOf(context: RedisContext): Promise<Memory[]> {
  try {
    const texts = await context.each('eviction', (client) => client.info('memory'))
    return texts.map((text) => ({ policy: /^maxmemory_policy:(\S+)/m.exec(text)?.[1], maxmemory: Number(/^maxmemory:(\d+)/m.exec(text)?.[1] ?? 0) }))
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error
    return [{ maxmemory: 0 }]
  }
}
