/**
 * What the world tells the checker, and all that the checker knows: publishes, acknowledgements, what stands in Redis' journal, deliveries,
 * gaps and faults, each at the moment at which it was seen. Numbers rather than objects, for a run is of millions of events.
 */
import type { Gap } from '@hubbub/protocol'

/**
 * An event's name in a run: `producer * 2 ** 32 + number`, a safe integer. A producer has one project, and numbers its events
 * from 0 without a hole, in the order in which it hands them in.
 */
export type Mark = number

export const markOf = (producer: number, number: number): Mark => producer * 2 ** 32 + number
export const producerOf = (mark: Mark): number => (mark / 2 ** 32) >>> 0
export const numberOf = (mark: Mark): number => mark >>> 0

export const FAULT_KINDS = [
  'kill', 'freeze', 'cut', 'delay', 'redis-restart', 'redis-failover', 'full', 'clock', 'slow-client', 'reconnect-storm', 'rolling-deploy',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export interface Interest {
  project: string
  /** Whether the subscriber's topics and filters take the event. Pure. */
  wants(mark: Mark): boolean
}

export interface Observer {
  /**
   * Producers and subscribers are told before the first thing that they do. `answered: false`: nobody acknowledges what it hands in (a raw
   * writer of a source stream), so all of it must come to stand in the journal.
   */
  producer(producer: number, project: string, answered?: boolean): void
  /** Answers the subscriber's number. Its name is what a `slow-client` fault names. */
  subscriber(name: string, interest: Interest): number
  /** Handed in for the first time, in the order of its numbers; repeats under the same id are not told. */
  published(mark: Mark): void
  /** Meant to be refused (invalid, forbidden): it must never be committed, acknowledged or delivered (I5). */
  forbidden(mark: Mark): void
  /** `head` is the offset of the journal's end, read from Redis itself after the acknowledgement came (I4). */
  acked(mark: Mark, offset: string, head: string): void
  /** Answered with a failure that is final: it is not handed in again, and must not be committed. */
  refused(mark: Mark, code: string): void
  /** By the raw reader, in the journal's order, once for each entry that it finds there: the truth. `mark` is undefined for the hub's own events. */
  committed(project: string, mark: Mark | undefined, offset: string): void
  /**
   * The raw reader finds that Redis lost what was committed behind `offset`: a failover, and only a failover, may do that. Told for every
   * project of the partition, before the first `committed` of the new branch, and also when the reader itself had read nothing that was
   * lost: subscribers may have been ahead of it. `offset` is where the first epoch after the failover starts.
   */
  lost(project: string, offset: string): void
  /** Retention took what stood at or before `offset`: only then may a gap say `trimmed`. */
  trimmed(project: string, offset: string): void
  delivered(subscriber: number, project: string, mark: Mark, offset: string): void
  gap(subscriber: number, gap: Gap): void
  /**
   * The subscription's stream begins behind this offset: what was committed before need not come. Told again when it subscribes anew; what
   * it skips then is a violation, unless a gap was told since the last delivery.
   */
  began(subscriber: number, offset: string): void
  /** It was recovered, or went on by its cursor, on this worker (I8). Counted only: that nothing is missing then is I2. */
  resumed(subscriber: number, worker: string): void
  /** It was closed for good: nothing is expected of it any more. */
  left(subscriber: number): void
  /** `what` says whom it hits, for the report; of `slow-client` it is the subscriber's name, or several joined by commas. */
  faultBegan(kind: FaultKind, what: string): number
  faultEnded(fault: number): void
}

export interface Violation {
  invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8'
  what: string
  /** ms since the run began */
  atMs: number
  /** Faults that were active then, or ended less than 10 s before. */
  faults: string[]
  /** What the checker was told last of the same subscriber or project, oldest first; at most 20 lines. */
  records: string[]
}

export interface Verdict {
  /** The first 200; `violationCount` counts all. */
  violations: readonly Violation[]
  violationCount: number
  /** ms since the run began */
  atMs: number
  published: number
  acked: number
  committed: number
  /** Committed events that were judged at every subscriber that wants them. */
  checked: number
  delivered: number
  gaps: number
  /** Entries of the journal that Redis lost. */
  lost: number
  /** Sessions that went on, and those of them that did so on another worker than before. */
  resumed: number
  resumedElsewhere: number
  /** Of `checked`: those published, acknowledged or delivered while a fault was active. */
  duringFaults: number
  /** `seconds`: of all faults of the kind together. `eventsDuring`: of `checked`, as above, for this kind. */
  faults: Record<FaultKind, { count: number; seconds: number; eventsDuring: number }>
}
