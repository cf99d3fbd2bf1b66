/**
 * The store port: everything that outlives a process. Two implementations stand side by side, `redis/` and `memory/`;
 * `test/store/` runs one suite on both. Redis is the truth in a cluster; the memory store lives in one process.
 *
 * Offsets are strings `<ms>-<seq>` (`compareOffsets`). A partition's keys share one hash tag and commit atomically.
 * Unless said otherwise a method rejects with `StoreUnavailable` when the store cannot be reached.
 */
import type { Cursor, Offset } from '@hubbub/protocol'
import type { StateStore, StateWrites } from './entities.js'
import type { Mailbox } from './mailbox.js'
import type { Origin, Provenance } from './provenance.js'
import type { AccessRecords, DeadLetters } from './records.js'
import type { Roster } from './roster.js'
import type { Sinks } from './sinks.js'
import type { SourceName } from './source-name.js'
import type { Vitals } from './vitals.js'

export type * from './entities.js'
export type * from './mailbox.js'
export type * from './provenance.js'
export type * from './records.js'
export type * from './roster.js'
export type * from './sinks.js'
export * from './source-name.js'
export type * from './vitals.js'

export type Positions = Record<SourceName, Offset>

/** The store is out of reach or refused for want of resources; the same call may succeed later. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

// ---------------------------------------------------------------- source streams

/** Who wrote an entry, as our gateways vouch for it. Counts only on streams closed to raw writers. */
export interface EntryIdentity {
  /** `metadata.source` of the event: `/agents/coder-1`. */
  source: string
  project: string
  /** Agents speak only for their own id; absent for anybody else. */
  agentId?: string
  /** The hub itself says it, on behalf of that source: it may say what only the hub knows. */
  hub?: true
}

export interface SourceAppend {
  stream: SourceName
  /** JSON of an `EventInput`, at most the event size limit. */
  event: string
  identity?: EntryIdentity
  /** Worker that waits for the commit's answer (`AckHints`). */
  replyTo?: string
  /** Worker that took it in, where none waits for an answer. */
  worker?: string
  /** Append only if this key was not used within `ttlMs`: marked in the same atomic step (GitHub delivery ids). */
  once?: { key: string; ttlMs: number }
}

export interface SourceEntry {
  stream: SourceName
  id: Offset
  /** Fields of the entry as they stand, raw writers' nonsense included. Ours: event, identity, replyTo, worker. */
  fields: Record<string, string>
}

export interface SourceStreams {
  /**
   * Appends all, in order, as one atomic step. The result of each: its source entry id, or null where `once` had been used.
   * Rejected: it may or may not have happened; appending again is safe, because commits are deduplicated.
   */
  append(partition: number, batch: readonly SourceAppend[]): Promise<(Offset | null)[]>
  /** A reader with a connection of its own. `read` waits up to `blockMs` for the first entry behind the positions. */
  openSource(partition: number): SourceReader
  /** Entries behind the committed positions, a processor's lag; for metrics. */
  lag(partition: number): Promise<number>
}

export interface SourceReader {
  /** Up to `count` entries of each stream behind `positions`, each stream's in order. */
  read(positions: Positions, count: number, blockMs: number): Promise<SourceEntry[]>
  close(): Promise<void>
}

// ---------------------------------------------------------------- the processor's ledger

export interface LedgerState {
  /** Nonce of this ownership; a commit with another is FENCED. */
  fence: string
  /** Number of the last committed batch. */
  batch: number
  /** Begun by this takeover. */
  epoch: string
  /** Offset of the journal's last entry, ORIGIN when there never was one. */
  last: Offset
  positions: Positions
}

export interface JournalAppend {
  /** The source entry's dedupe key (`seenKey`), remembered with the offset it got; empty for a derived event: nobody asks for it. */
  seen: string
  /** JSON of the `HubEvent`. */
  event: string
  /** Index keys, see `topicKey`: project and topic. */
  topics: string[]
  replyTo?: string
  /** Absent of a derived event: it came through no source stream. */
  origin?: Omit<Origin, 'batch'>
}

/** An entry that reaches no journal: refused by a rule, or unreadable. */
export interface Refusal {
  /** Absent when the entry has no id that could be asked for. */
  seen?: string
  /** `code` or `code message`; what a waiting gateway gets. */
  outcome: string
  replyTo?: string
  /** Present: the entry goes to the dead-letter stream. */
  dead?: { stream: SourceName; id: Offset; code: string; message: string; fields: Record<string, string> }
}

export interface Batch {
  fence: string
  /** `LedgerState.batch + 1` of the commit before. */
  number: number
  /** Positions that the batch starts from; others in the ledger mean LOST. */
  from: Positions
  to: Positions
  appends: readonly JournalAppend[]
  refusals: readonly Refusal[]
  /** Answers to repeat to waiting gateways: entries whose key was seen before, with the outcome found then. */
  repeats: readonly { seen: string; outcome: string; replyTo: string }[]
  /** What the appends make of the state, in the same atomic step; absent: nothing. */
  state?: StateWrites
}

export type CommitResult =
  /** `offsets[i]` belongs to `appends[i]`. `replayed`: this very batch had been committed, its stored result is returned. */
  | { status: 'committed'; offsets: Offset[]; replayed: boolean }
  /** Another owner holds the partition. */
  | { status: 'fenced' }
  /** Number or positions do not follow: the store lost writes, or another state was restored. */
  | { status: 'lost' }

export interface Retention {
  /** An entry stays while younger than this, ms. */
  ageMs: number
  /** And while among the last so many of its partition. */
  count: number
  /** Overrules both, bytes of event JSON a partition. */
  bytes: number
}

export interface Ledger {
  /** Takes a free partition for `leaseMs`: new fence, new epoch. Null while somebody else's lease runs. */
  takeOver(partition: number, owner: string, leaseMs: number): Promise<LedgerState | null>
  /** After FENCED, LOST or a script error: a new fence and epoch, if the lease is still the owner's. Null: it is not. */
  restart(partition: number, owner: string, leaseMs: number): Promise<LedgerState | null>
  /** False: the lease is no longer the owner's. */
  renew(partition: number, owner: string, leaseMs: number): Promise<boolean>
  release(partition: number, owner: string): Promise<void>
  owners(): Promise<(string | null)[]>
  /** Says that a processor lives; answers the ids of all that said so within `ttlMs`, sorted. */
  join(processor: string, ttlMs: number): Promise<string[]>
  leave(processor: string): Promise<void>
  /**
   * Outcome of each key, an offset or `!CODE message`; null when not seen. Two generations, rotated by `housekeep`.
   */
  seen(partition: number, keys: readonly string[]): Promise<(string | null)[]>
  /** All or nothing, fenced, idempotent (I3). A rejection leaves the outcome open: retry byte for byte. */
  commit(partition: number, batch: Batch): Promise<CommitResult>
  /** Trims journal, topic index and source streams, rotates seen keys. Owner only; cheap; about once a second. */
  housekeep(partition: number, fence: string): Promise<void>
}

/** The ack hint: outcomes of a batch for one worker. A hint: it may be lost, `Ledger.seen` is the truth. */
export interface AckHints {
  /** Called with `[seenKey, outcome]` pairs; and with `null` after the subscription was interrupted: look them all up. */
  listen(worker: string, partitions: readonly number[], onAcks: (pairs: [seen: string, outcome: string][] | null) => void): Promise<() => Promise<void>>
}

// ---------------------------------------------------------------- journal

export interface JournalEntry {
  offset: Offset
  /** Offset of the entry before it in the journal: continuity can be checked (I2). */
  previous: Offset
  epoch: string
  /** JSON of the `HubEvent`, byte for byte as committed. */
  event: string
}

export interface Epoch {
  nonce: string
  /** Offset of the last entry when it began. */
  start: Offset
}

export interface JournalHead {
  /** Last committed offset. */
  last: Offset
  /** Last offset that was trimmed away, ORIGIN when nothing was: a cursor before it has a gap. */
  floor: Offset
  /** Oldest first; the last one is current. */
  epochs: Epoch[]
}

export interface JournalPage {
  entries: JournalEntry[]
  /** The page is complete up to here; equals `upTo` when nothing more is to be read. */
  reached: Offset
  /** As of the same moment: entries at or before it that lie behind `after` are gone (gap). */
  floor: Offset
}

export interface Journal {
  head(partition: number): Promise<JournalHead>
  /** Entries in (after, upTo], at most `count`. */
  readRange(partition: number, after: Offset, upTo: Offset, count: number): Promise<JournalPage>
  /** Entries in (after, upTo] that carry one of the index keys, in journal order, each once, at most `count`. */
  readTopics(partition: number, topics: readonly string[], after: Offset, upTo: Offset, count: number): Promise<JournalPage>
  /** The last `count` entries of the topics up to `upTo`, in journal order: `reached` is `upTo`. */
  readLast(partition: number, topics: readonly string[], upTo: Offset, count: number): Promise<JournalPage>
  openTail(partition: number): JournalTail
}

export interface JournalTail {
  /** Entries behind `after`; waits up to `blockMs` for the first one. */
  read(after: Offset, count: number, blockMs: number): Promise<JournalEntry[]>
  close(): Promise<void>
}

// ---------------------------------------------------------------- sessions

export interface SessionRecord {
  project: string
  subject: string
  subscriptions: RecordedSubscription[]
  /** Where its client stood when last looked at; of clients that do not remember it themselves. */
  cursor?: Cursor
}

export interface RecordedSubscription {
  id: string
  topics: string[]
  types?: string[]
  filter?: Record<string, string | number | boolean | null>
  pace?: { ms: number; latestOnly: boolean }
  /** It counts behind this offset. */
  from: Offset
}

export interface Sessions {
  /** Writes the record if `generation` is current (or the key is new). False: somebody restored the session since. */
  save(partition: number, session: string, generation: number, record: SessionRecord, ttlMs: number): Promise<boolean>
  /** Reads without taking. */
  peek(partition: number, session: string): Promise<{ generation: number; record: SessionRecord } | null>
  /** Raises the generation and answers record and new generation: the older holder neither writes nor receives. */
  take(partition: number, session: string, ttlMs: number): Promise<{ generation: number; record: SessionRecord } | null>
  /** Renews the time to live of many; answers which generations stand (0: none). */
  touch(partition: number, sessions: readonly string[], ttlMs: number): Promise<number[]>
  drop(partition: number, session: string, generation: number): Promise<void>
}

// ---------------------------------------------------------------- the whole

export interface Store extends SourceStreams, Ledger, AckHints, Journal, AccessRecords {
  readonly kind: 'memory' | 'redis'
  readonly partitions: number
  readonly sessions: Sessions
  readonly dead: DeadLetters
  readonly provenance: Provenance
  readonly state: StateStore
  readonly roster: Roster
  readonly mailbox: Mailbox
  readonly sinks: Sinks
  readonly vitals: Vitals
  /** Round trip in ms; rejects when out of reach. */
  ping(): Promise<number>
  close(): Promise<void>
}

/** Key of a topic in the index. The project is part of it (I6). */
export function topicKey(project: string, topic: string): string {
  return `${project}/${topic}`
}
