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
export const producerOf = (mark: Mark): number => Math.floor(mark / 2 ** 32)
export const numberOf = (mark: Mark): number => mark % 2 ** 32

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
  /** Producers and subscribers are told before the first thing that they do. Answers the subscriber's number. */
  producer(producer: number, project: string): void
  subscriber(name: string, interest: Interest): number
  /** Handed in for the first time; repeats under the same id are not told. */
  published(mark: Mark): void
  /** Meant to be refused (invalid, forbidden): it must never be committed, acknowledged or delivered (I5). */
  forbidden(mark: Mark): void
  /** `head` is the offset of the journal's end, read from Redis itself after the acknowledgement came (I4). */
  acked(mark: Mark, offset: string, head: string): void
  /** Answered with a failure that is final. */
  refused(mark: Mark, code: string): void
  /** By the raw reader, in the journal's order, once for each entry that it finds there: the truth. `mark` is undefined for the hub's own events. */
  committed(project: string, mark: Mark | undefined, offset: string): void
  /** The raw reader finds that Redis lost what it had read behind `offset`: a failover, and only a failover, may do that. */
  lost(project: string, offset: string): void
  delivered(subscriber: number, project: string, mark: Mark, offset: string): void
  gap(subscriber: number, gap: Gap): void
  /** The subscription's stream begins behind this offset: what was committed before need not come. */
  began(subscriber: number, offset: string): void
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
}

export interface Verdict {
  violations: readonly Violation[]
  published: number
  acked: number
  committed: number
  /** Committed events that were judged at every subscriber that wants them. */
  checked: number
  delivered: number
  gaps: number
  lost: number
  /** Of `checked`: those published, acknowledged or delivered while a fault was active. */
  duringFaults: number
  faults: Record<FaultKind, { count: number; seconds: number; eventsDuring: number }>
}
