/** Dead letters: a stream a partition, written by commits. Values longer than 64 KiB stand there cut off, and are replayed so. */
import { isOffset } from '@hubbub/protocol'
import type { DeadLetter, DeadLetters, SourceName } from '../port.js'
import type { RedisContext } from './context.js'
import { SCRIPTS } from './scripts.js'

export function deadLetters(context: RedisContext): DeadLetters {
  const keyOf = (partition: number) => context.keys(partition).dead
  const letters: DeadLetters = {
    count: (partition) => context.call('dead.count', keyOf(partition), (client) => client.xLen(keyOf(partition))),
    async list(partition, count, before) {
      const newest = before === undefined ? '+' : `(${before}`
      const found = await context.call('dead.list', keyOf(partition), (client) => client.xRevRange(keyOf(partition), newest, '-', { COUNT: count }))
      return (found ?? []).map(({ id, message }) => letterOf(partition, id, message))
    },
    async get(partition, id) {
      if (!isOffset(id)) return null
      const [found] = (await context.call('dead.get', keyOf(partition), (client) => client.xRange(keyOf(partition), id, id))) ?? []
      return found ? letterOf(partition, found.id, found.message) : null
    },
    async replay(partition, id) {
      const letter = await letters.get(partition, id)
      if (!letter) return false
      const keys = context.keys(partition)
      const fields = Object.entries(letter.fields).flat()
      // A stream entry has at least one field; one without any came from nowhere and goes nowhere.
      if (fields.length === 0) return letters.drop(partition, id)
      return (await context.run('dead.replay', SCRIPTS.replayDead, [keys.dead, keys.sources[letter.stream]], [id, ...fields])) === 1
    },
    async drop(partition, id) {
      return isOffset(id) && (await context.call('dead.drop', keyOf(partition), (client) => client.xDel(keyOf(partition), id))) === 1
    },
  }
  return letters
}

function letterOf(partition: number, id: string, message: Record<string, string>): DeadLetter {
  return {
    id,
    partition,
    stream: message['stream'] as SourceName,
    entry: message['entry']!,
    code: message['code']!,
    message: message['message']!,
    at: Number(message['at']),
    fields: JSON.parse(message['fields']!) as Record<string, string>,
  }
}
