import { SOURCES, type SourceReader, type SourceStreams } from '../port.js'
import { readWaiting } from './bell.js'
import type { MemoryContext } from './context.js'
import type { MemoryPartition } from './partition.js'

export function sourceStreams(context: MemoryContext): SourceStreams {
  return {
    async append(number, batch) {
      const partition = context.partition(number)
      const ids = batch.map(({ stream, event, identity, replyTo, once, worker }) => {
        if (once && !useOnce(partition, once.key, once.ttlMs)) return null
        const fields: Record<string, string> = { event }
        if (identity) fields['identity'] = JSON.stringify(identity)
        if (replyTo) fields['replyTo'] = replyTo
        if (worker) fields['worker'] = worker
        return partition.sources[stream].append(fields)
      })
      partition.sourceBell.ring()
      return ids
    },
    openSource: (number) => openSource(context, number),
    async lag(number) {
      const partition = context.partition(number)
      return SOURCES.reduce((sum, name) => sum + partition.sources[name].entries.countBehind(partition.positions[name]), 0)
    },
  }
}

function openSource(context: MemoryContext, number: number): SourceReader {
  const { sourceBell } = context.partition(number)
  let closed = false
  return {
    read(positions, count, blockMs) {
      const read = () => SOURCES.flatMap((name) => context.partition(number).sources[name].entries.behind(positions[name], count))
      return readWaiting(sourceBell, read, blockMs, () => closed)
    },
    async close() {
      closed = true
      sourceBell.ring()
    },
  }
}

function useOnce(partition: MemoryPartition, key: string, ttlMs: number): boolean {
  const now = Date.now()
  if ((partition.once.get(key) ?? 0) > now) return false
  partition.once.set(key, now + ttlMs)
  return true
}
