/** Marks of agents' mail: a cursor each. */
import { parseCursor } from '@hubbub/protocol'
import { topicKey, type Mailbox } from '../port.js'
import type { RedisContext } from './context.js'
import { SCRIPTS } from './scripts.js'

export function mailbox(context: RedisContext): Mailbox {
  const key = (partition: number, project: string, agentId: string): string => context.keys(partition).mail(topicKey(project, agentId))
  return {
    async mark(partition, project, agentId, cursor, ttlMs) {
      const place = parseCursor(cursor)
      if (!place) throw new RangeError(`${cursor} is no cursor`)
      const [ms, number] = place.offset.split('-')
      await context.run('mailbox.mark', SCRIPTS.markMail, [key(partition, project, agentId)], [place.epoch, ms!, number!, String(ttlMs)])
    },
    read(partition, project, agentId) {
      const mark = key(partition, project, agentId)
      return context.call('mailbox.read', mark, (client) => client.get(mark))
    },
  }
}
