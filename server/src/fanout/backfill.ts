/** What `since` asks for: where it begins, and bounded pages of what lies between there and a fixed upper bound. */
import { compareOffsets, isAfter, laterOf, matches, ORIGIN, type Interest, type Cursor, type Gap, type Offset } from '@hubbub/protocol'
import { topicKey, type Journal, type JournalHead } from '../store/port.js'
import type { TailEntry } from './entry.js'
import { cursorAt, resume } from './epochs.js'
import { readPage, type PageReader } from './pages.js'
import { indexedTopics } from './subscription.js'

/** `since`, parsed. */
export type Start = { kind: 'cursor'; epoch: string; offset: Offset } | { kind: 'duration'; ms: number } | { kind: 'last'; count: number } | { kind: 'all' }

export interface Backfill {
  entries: TailEntry[]
  /** Complete up to here. */
  reached: Offset
  /** A limit ended it before the upper bound. */
  more: boolean
  gap?: Gap
}

export interface BackfillLimits {
  events: number
  bytes: number
}

/** First offset not wanted, and the gap when what was asked for is not all there. */
export async function locate(start: Start, journal: Journal, partition: number, project: string, interest: Interest, upTo: Offset): Promise<{ after: Offset; gap?: Gap }> {
  const head = await journal.head(partition)
  switch (start.kind) {
    case 'cursor':
      return resume(start, head)
    case 'all':
      return { after: head.floor }
    case 'duration':
      return locateTime(Date.now() - start.ms, head, upTo)
    case 'last':
      return { after: await locateLast(start.count, { journal, partition }, project, interest, head.floor, upTo) }
  }
}

/** Up to the limits; at least one event when there is one, however large. */
export async function readBackfill(reader: PageReader, project: string, interest: Interest, after: Offset, upTo: Offset, limits: BackfillLimits): Promise<Backfill> {
  const entries: TailEntry[] = []
  let reached = after
  let bytes = 0
  let gap: Gap | undefined
  while (compareOffsets(reached, upTo) < 0) {
    const page = await readPage(reader, project, [interest], reached, upTo)
    if (isAfter(page.floor, reached)) {
      // Trimmed between two pages: told, not skipped over (I2).
      const { epochs } = await reader.journal.head(reader.partition)
      gap ??= { from: cursorAt(reached, epochs), to: cursorAt(page.floor, epochs), reason: 'trimmed' }
      reached = page.floor
    }
    for (const entry of page.entries) {
      if (entry.event.project !== project || !matches(interest, entry.event)) continue
      if (entries.length > 0 && (entries.length >= limits.events || bytes + entry.size > limits.bytes)) {
        return { entries, reached: entries[entries.length - 1]!.offset, more: true, gap }
      }
      entries.push(entry)
      bytes += entry.size
    }
    reached = laterOf(page.reached, reached)
  }
  return { entries, reached: upTo, more: false, gap }
}

/** A gap only if something was trimmed that was younger than the time asked for. */
function locateTime(since: number, head: JournalHead, upTo: Offset): { after: Offset; gap?: Gap } {
  const wanted = since > 0 ? `${since - 1}-${Number.MAX_SAFE_INTEGER}` : ORIGIN
  // When nothing was committed since, it begins where the journal ends: a start ahead of that would wait for the next event.
  if (!isAfter(head.floor, wanted)) return { after: isAfter(wanted, upTo) ? upTo : wanted }
  const from = cursorAt(`${Math.max(0, since - 1)}-0`, head.epochs)
  return { after: head.floor, gap: { from, to: cursorAt(head.floor, head.epochs), reason: 'trimmed' } }
}

async function locateLast(count: number, reader: PageReader, project: string, interest: Interest, floor: Offset, upTo: Offset): Promise<Offset> {
  const topics = interest.types || interest.filter ? undefined : indexedTopics([interest])
  if (topics) {
    const page = await reader.journal.readLast(reader.partition, topics.map((topic) => topicKey(project, topic)), upTo, count)
    return page.entries[0]?.previous ?? upTo
  }
  const last: Offset[] = []
  let after = floor
  while (compareOffsets(after, upTo) < 0) {
    const page = await readPage(reader, project, [interest], after, upTo)
    for (const entry of page.entries) if (entry.event.project === project && matches(interest, entry.event)) last.push(entry.offset)
    // One more than asked for: reading goes on behind it.
    if (last.length > count + 1) last.splice(0, last.length - count - 1)
    after = laterOf(laterOf(page.reached, page.floor), after)
  }
  return last.length > count ? last[0]! : floor
}

/** The cursor just behind an answer. */
export function cursorBehind(backfill: Backfill, epochs: JournalHead['epochs']): Cursor {
  const last = backfill.entries[backfill.entries.length - 1]
  return last && last.offset === backfill.reached ? last.cursor : cursorAt(backfill.reached, epochs)
}
