/** Ack hints by sharded pub/sub, on a connection of its own. A hint may be lost; that some may have been is said with `null`. */
import type { AckHints } from '../port.js'
import { decodeAcks } from './batch.js'
import type { Connection, RedisClient } from './connection.js'
import type { RedisContext } from './context.js'

/** A subscriber writes nothing, so only these calls find out that its Redis is frozen. ms */
const PROBE_MS = 2000

export function ackHints(context: RedisContext): AckHints {
  return {
    async listen(worker, partitions, onAcks) {
      const channels = partitions.map((partition) => context.keys(partition).ack(worker))
      const onMessage = (lines: string): void => onAcks(decodeAcks(lines))
      // The client that holds the subscriptions: it restores them itself when it reconnects, before it is ready.
      let holder: RedisClient | undefined

      const subscribe = async (client: RedisClient): Promise<void> => {
        // One channel a command: in a Cluster the channels of several partitions lie in several slots.
        await Promise.all(channels.map((channel) => client.sSubscribe(channel, onMessage)))
        holder = client
      }
      const connection: Connection = context.open((client) => {
        if (!holder) return
        const restored = client === holder ? Promise.resolve() : subscribe(client)
        restored.then(() => onAcks(null), (error: unknown) => context.report('listen', error))
      })
      try {
        await connection.call('listen', subscribe)
      } catch (error) {
        context.end(connection)
        throw error
      }
      const probe = setInterval(() => {
        connection.call('listen', (client) => client.ping()).catch((error: unknown) => context.report('listen', error))
      }, PROBE_MS)
      probe.unref()
      return async () => {
        clearInterval(probe)
        context.end(connection)
      }
    },
  }
}
