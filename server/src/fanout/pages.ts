/** Pages of the journal for whoever is behind: from the window when it covers the cursor, else from the store. */
import { compareOffsets, type Interest, type Offset } from '@hubbub/protocol'
import { topicKey, type Journal } from '../store/port.js'
import { TailEntry } from './entry.js'
import { indexedTopics } from './subscription.js'
import type { Window } from './window.js'

export interface Page {
  /** Candidates: of the topics asked for, of every project of the partition when a wildcard was among them; still to be matched. */
  entries: TailEntry[]
  /** Complete up to here. */
  reached: Offset
  /** Last offset that was trimmed away. Later than `after`: a gap. */
  floor: Offset
}

export interface PageReader {
  journal: Journal
  partition: number
  window?: Window
}

/** Entries, at most. */
export const PAGE = 500
/** Of the window, as of the store. */
const PAGE_BYTES = 1024 * 1024

/** Synchronous, or undefined when the window does not reach back to `after`. */
export function readWindow(window: Window, project: string, interests: readonly Interest[], after: Offset, upTo: Offset, most = PAGE): Page | undefined {
  if (!window.covers(after)) return undefined
  const topics = indexedTopics(interests)
  const keys = topics?.map((topic) => topicKey(project, topic))
  const read = window.read(after, keys, most)
  const wanted = read.filter((entry) => compareOffsets(entry.offset, upTo) <= 0)
  const entries = atMostBytes(wanted)
  const more = entries.length < wanted.length || (read.length === most && wanted.length === read.length)
  return { entries, reached: more ? entries[entries.length - 1]!.offset : upTo, floor: after }
}

/** Of large events fewer; one at least. */
function atMostBytes(entries: TailEntry[]): TailEntry[] {
  let bytes = 0
  const end = entries.findIndex(({ size }, place) => (bytes += size) > PAGE_BYTES && place > 0)
  return end < 0 ? entries : entries.slice(0, end)
}

/** From window or store. `upTo` is a fixed bound: what is committed meanwhile belongs to the next page. */
export async function readPage(reader: PageReader, project: string, interests: readonly Interest[], after: Offset, upTo: Offset, most = PAGE): Promise<Page> {
  const near = reader.window && readWindow(reader.window, project, interests, after, upTo, most)
  if (near) return near
  const topics = indexedTopics(interests)
  const page = topics
    ? await reader.journal.readTopics(reader.partition, topics.map((topic) => topicKey(project, topic)), after, upTo, most)
    : await reader.journal.readRange(reader.partition, after, upTo, most)
  return { entries: page.entries.map((entry) => new TailEntry(entry)), reached: page.reached, floor: page.floor }
}
