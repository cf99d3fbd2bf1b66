/** Reading the journal in memory. The topic indexes are as long as the journal, so nothing is ever scanned. */
import { compareOffsets, type Offset } from '@hubbub/protocol'
import type { Journal, JournalEntry, JournalPage } from '../port.js'
import { readWaiting } from './bell.js'
import type { MemoryContext } from './context.js'
import type { EventLog, MemoryEntry, MemoryPartition } from './partition.js'

export function journal(context: MemoryContext): Journal {
  return {
    async head(number) {
      const { last, floor, epochs } = context.partition(number)
      return { last, floor, epochs: [...epochs] }
    },
    async readRange(number, after, upTo, count) {
      const partition = context.partition(number)
      return page(partition, partition.journal.behind(after, count, upTo), upTo, count)
    },
    async readTopics(number, topics, after, upTo, count) {
      const partition = context.partition(number)
      const found = merged(partition, topics, (log) => log.behind(after, count, upTo))
      return page(partition, found.slice(0, count), upTo, count)
    },
    async readLast(number, topics, upTo, count) {
      const partition = context.partition(number)
      const found = merged(partition, topics, (log) => log.newest(upTo, count))
      return { entries: found.slice(Math.max(0, found.length - count)).map(entryOf), reached: upTo, floor: partition.floor }
    },
    openTail(number) {
      const { journalBell } = context.partition(number)
      let closed = false
      return {
        async read(after, count, blockMs) {
          const found = await readWaiting(journalBell, () => context.partition(number).journal.behind(after, count), blockMs, () => closed)
          return found.map(entryOf)
        },
        async close() {
          closed = true
          journalBell.ring()
        },
      }
    },
  }
}

/** Entries of several topics, each once, in journal order. */
function merged(partition: MemoryPartition, topics: readonly string[], read: (log: EventLog) => MemoryEntry[]): MemoryEntry[] {
  const found = new Set<MemoryEntry>()
  for (const topic of new Set(topics)) {
    const log = partition.topics.get(topic)
    if (log) for (const entry of read(log)) found.add(entry)
  }
  return [...found].sort((a, b) => compareOffsets(a.offset, b.offset))
}

function page(partition: MemoryPartition, entries: MemoryEntry[], upTo: Offset, count: number): JournalPage {
  const full = entries.length > 0 && entries.length === count
  return { entries: entries.map(entryOf), reached: full ? entries[entries.length - 1]!.offset : upTo, floor: partition.floor }
}

function entryOf({ offset, previous, epoch, event }: MemoryEntry): JournalEntry {
  return { offset, previous, epoch, event }
}
