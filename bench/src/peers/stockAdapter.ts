/** The adapters that a stock deployment would choose among, with their own defaults where those do. */
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import type { ServerOptions } from 'socket.io'

export type StockAdapter = 'pubsub' | 'sharded' | 'streams'

export async function adapterOf(redisUrl: string, adapter: StockAdapter): Promise<ServerOptions['adapter']> {
  const client = await createClient({ url: redisUrl }).on('error', () => undefined).connect()
  // Its default length of 10,000 would not hold what the measurements send; its default of 100 entries a read makes it slower.
  if (adapter === 'streams') return createStreamsAdapter(client, { maxLen: 1_000_000, readCount: 1000 })
  const reader = await client.duplicate().connect()
  return adapter === 'pubsub' ? createAdapter(client, reader) : createShardedAdapter(client, reader, { subscriptionMode: 'dynamic' })
}
