/** Ack hints by sharded pub/sub, on connections of their own. A hint may be lost; that some may have been is said with `null`. */
import type { AckHints } from '../port.js'
import { decodeAcks } from './batch.js'
import type { RedisContext } from './context.js'
import { Subscriptions } from './subscriptions.js'

export function ackHints(context: RedisContext): AckHints {
  return {
    async listen(worker, partitions, onAcks) {
      const subscriptions = await Subscriptions.open(context.nodes, {
        channels: partitions.map((partition) => context.keys(partition).ack(worker)),
        onMessage: (lines) => onAcks(decodeAcks(lines)),
        onInterrupted: () => onAcks(null),
        onError: (error) => context.report('listen', error),
      })
      return async () => subscriptions.close()
    },
  }
}
