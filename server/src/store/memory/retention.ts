import { offsetMillis } from '@hubbub/protocol'
import type { StoreOptions } from '../options.js'
import { SOURCES, type Retention } from '../port.js'
import type { MemoryPartition } from './partition.js'

/** Trims what retention lets go, rotates the seen keys, forgets what has expired. */
export function housekeep(partition: MemoryPartition, options: StoreOptions): void {
  const now = Date.now()
  trimJournal(partition, options.retention, now)
  for (const name of SOURCES) partition.sources[name].entries.dropUpTo(partition.positions[name])
  if (now - partition.seenSince > options.seen.ms || partition.seen[0].size > options.seen.count) {
    partition.seen = [new Map(), partition.seen[0]]
    partition.seenSince = now
  }
  for (const [key, until] of partition.once) if (until <= now) partition.once.delete(key)
  for (const [id, { until }] of partition.sessions) if (until <= now) partition.sessions.delete(id)
}

function trimJournal(partition: MemoryPartition, retention: Retention, now: number): void {
  const { journal } = partition
  for (let first = journal.first; first; first = journal.first) {
    const size = partition.bytes - first.bytes + Buffer.byteLength(first.event)
    const surplus = journal.length > retention.count && offsetMillis(first.offset) < now - retention.ageMs
    if (!surplus && size <= retention.bytes) return
    journal.shift()
    partition.floor = first.offset
    for (const topic of first.topics) {
      const log = partition.topics.get(topic)
      log?.shift()
      if (log?.length === 0) partition.topics.delete(topic)
    }
  }
}
