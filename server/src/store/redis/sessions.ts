/** Session records: a hash each, `gen` and `record`. */
import type { SessionRecord, Sessions } from '../port.js'
import type { RedisContext } from './context.js'
import { listOf, textOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

/** Sessions renewed by one script call. */
const TOUCH_STEP = 1000

export function sessions(context: RedisContext): Sessions {
  const key = (partition: number, session: string): string => context.keys(partition).session(session)
  return {
    async save(partition, session, generation, record, ttlMs) {
      const args = [String(generation), JSON.stringify(record), String(ttlMs)]
      return (await context.run('sessions.save', SCRIPTS.saveSession, [key(partition, session)], args)) === 1
    },
    async peek(partition, session) {
      const [generation, record] = await context.call('sessions.peek', key(partition, session), (client) => client.hmGet(key(partition, session), ['gen', 'record']))
      return generation && record ? stored(generation, record) : null
    },
    async take(partition, session, ttlMs) {
      const reply = await context.run('sessions.take', SCRIPTS.takeSession, [key(partition, session)], [String(ttlMs)])
      if (reply === null) return null
      const [generation, record] = listOf(reply)
      return stored(textOf(generation), textOf(record))
    },
    async touch(partition, list, ttlMs) {
      const generations: number[] = []
      for (let at = 0; at < list.length; at += TOUCH_STEP) {
        const keys = list.slice(at, at + TOUCH_STEP).map((session) => key(partition, session))
        generations.push(...listOf(await context.run('sessions.touch', SCRIPTS.touchSessions, keys, [String(ttlMs)])).map(Number))
      }
      return generations
    },
    async drop(partition, session, generation) {
      await context.run('sessions.drop', SCRIPTS.dropSession, [key(partition, session)], [String(generation)])
    },
  }
}

function stored(generation: string, record: string): { generation: number; record: SessionRecord } {
  return { generation: Number(generation), record: JSON.parse(record) as SessionRecord }
}
