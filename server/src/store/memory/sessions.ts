import type { SessionRecord, Sessions } from '../port.js'
import type { MemoryContext } from './context.js'

/** Records are copied in and out, as they are through Redis. */
export function sessions(context: MemoryContext): Sessions {
  const find = (number: number, session: string) => {
    const stored = context.partition(number).sessions.get(session)
    return stored && stored.until > Date.now() ? stored : undefined
  }
  return {
    async save(number, session, generation, record, ttlMs) {
      const stored = find(number, session)
      if (stored && stored.generation !== generation) return false
      context.partition(number).sessions.set(session, { generation, record: structuredClone(record), until: Date.now() + ttlMs })
      return true
    },
    async peek(number, session) {
      const stored = find(number, session)
      return stored ? copy(stored) : null
    },
    async take(number, session, ttlMs) {
      const stored = find(number, session)
      if (!stored) return null
      stored.generation++
      stored.until = Date.now() + ttlMs
      return copy(stored)
    },
    async touch(number, list, ttlMs) {
      return list.map((session) => {
        const stored = find(number, session)
        if (stored) stored.until = Date.now() + ttlMs
        return stored?.generation ?? 0
      })
    },
    async drop(number, session, generation) {
      if (find(number, session)?.generation === generation) context.partition(number).sessions.delete(session)
    },
  }
}

function copy({ generation, record }: { generation: number; record: SessionRecord }): { generation: number; record: SessionRecord } {
  return { generation, record: structuredClone(record) }
}
