/** The port's looking back: where a journal entry came from, and what no index knows, an event by its id and what followed from it. */
import type { Offset } from '@hubbub/protocol'
import { SOURCES, type SourceName } from './source-name.js'

/** How an entry came into the journal; written with it. */
export interface Origin {
  /** Number of the partition's batch. */
  batch: number
  /** Of a derived event neither of these. */
  stream?: SourceName
  /** Of that stream. */
  entry?: Offset
  /** That took it in; absent for what a raw writer wrote. */
  worker?: string
}

/** A journal entry, and whence it came. */
export interface TracedEntry {
  offset: Offset
  previous: Offset
  epoch: string
  /** JSON of the `HubEvent`. */
  event: string
  /** Absent: a hub wrote it that kept no origins. */
  origin?: Origin
}

export interface Look {
  /** `id`: backward, for the event of the one id. `causation`: forward, for what followed from the ids, and what followed from that. */
  by: 'id' | 'causation'
  ids: readonly string[]
  /** Where to begin, the offset itself not included; absent: the journal's end, or beginning. */
  from?: Offset
  /** Entries to look at, at most 1000: Redis does nothing else meanwhile. */
  count: number
}

export interface Looked {
  /** Of every project, in the order in which they were met. Of `causation` perhaps too many: to be held against their events. */
  found: TracedEntry[]
  /** Entries that were looked at. */
  looked: number
  /** The last of them; absent: there was none. */
  reached?: Offset
  /** Nothing is behind it. */
  isEnd: boolean
}

export interface Provenance {
  /** Null: it is not there, or no longer. */
  at(partition: number, offset: Offset): Promise<TracedEntry | null>
  /** One short step; whoever wants to know more goes on from `reached`. */
  look(partition: number, look: Look): Promise<Looked>
  /** The processor that began the epoch; null: nobody knows, it is long ago. */
  ownerOf(partition: number, epoch: string): Promise<string | null>
}

/** How an origin stands in an entry: `batch place entry worker`, with the place of its stream in `SOURCES`. */
export function writeOrigin(batch: number, origin: Omit<Origin, 'batch'> | undefined): string {
  if (origin?.stream === undefined || origin.entry === undefined) return `${batch}`
  const came = `${batch} ${SOURCES.indexOf(origin.stream)} ${origin.entry}`
  return origin.worker === undefined ? came : `${came} ${origin.worker}`
}

/** Undefined for no origin, or one of a newer form. */
export function readOrigin(text: string | undefined): Origin | undefined {
  const [, batch, place, entry, worker] = /^(\d+)(?: (\d) (\d+-\d+)(?: (.+))?)?$/s.exec(text ?? '') ?? []
  if (batch === undefined) return undefined
  const stream = place === undefined ? undefined : SOURCES[Number(place)]
  return { batch: Number(batch), ...(stream && entry !== undefined && { stream, entry }), ...(worker !== undefined && { worker }) }
}
