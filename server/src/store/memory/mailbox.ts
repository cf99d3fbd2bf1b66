import { compareOffsets, parseCursor, type Cursor } from '@hubbub/protocol'
import { topicKey, type Mailbox } from '../port.js'
import type { MemoryContext } from './context.js'

/** Marks in the order in which they were last written, so that those that ran out stand first. */
export function mailbox(context: MemoryContext): Mailbox {
  const marks = new Map<string, { cursor: Cursor; until: number }>()
  const keyOf = (partition: number, project: string, agentId: string): string => {
    context.partition(partition)
    return `${partition} ${topicKey(project, agentId)}`
  }
  const find = (key: string) => {
    const mark = marks.get(key)
    return mark && mark.until > Date.now() ? mark : undefined
  }
  return {
    async mark(partition, project, agentId, cursor, ttlMs) {
      const key = keyOf(partition, project, agentId)
      if (!parseCursor(cursor)) throw new RangeError(`${cursor} is no cursor`)
      const stood = find(key)
      marks.delete(key)
      marks.set(key, { cursor: stood ? furtherOf(stood.cursor, cursor) : cursor, until: Date.now() + ttlMs })
      for (const [old, { until }] of marks) {
        if (until > Date.now()) break
        marks.delete(old)
      }
    },
    async read(partition, project, agentId) {
      return find(keyOf(partition, project, agentId))?.cursor ?? null
    },
  }
}

/** Of two epochs the offsets cannot be compared: the new one it is. */
function furtherOf(stood: Cursor, next: Cursor): Cursor {
  const [before, after] = [parseCursor(stood), parseCursor(next)]
  return before && after && before.epoch === after.epoch && compareOffsets(before.offset, after.offset) > 0 ? stood : next
}
