/** What one client of a rolling restart was told, held against what was published: each topic's events are numbered from 1. */
import { compareOffsets, parseCursor } from '@hubbub/protocol'

export interface Faults {
  lost: number
  doubled: number
  misplaced: number
  /** Events that the hub itself said it cannot give. */
  gaps: number
}

export const TASK = 'T-'

/** Topic of the task with this number. */
export const topicOf = (at: number): string => `task:${TASK}${at}`

export class ClientRecord {
  readonly faults: Faults = { lost: 0, doubled: 0, misplaced: 0, gaps: 0 }
  /** ms from the loss of each connection until it was subscribed again. */
  readonly absences: number[] = []
  events = 0
  /** Connections after which it had to begin anew. */
  fresh = 0
  /** Codes with which it was refused. */
  readonly refusals: string[] = []
  private readonly last: Int32Array
  private offset = '0-0'
  private leftAt?: number

  /** @param own number of its only topic; undefined: it hears all of them */
  constructor(topics: number, private readonly own: number | undefined) {
    this.last = new Int32Array(topics)
  }

  get subscription(): string {
    return this.own === undefined ? 'task:*' : topicOf(this.own)
  }

  get isAway(): boolean {
    return this.leftAt !== undefined
  }

  /** ms, of an absence that is not over. */
  awayFor(now: number): number {
    return this.leftAt === undefined ? 0 : now - this.leftAt
  }

  heard(topic: number, seq: number, cursor: string): void {
    this.events++
    const expected = this.last[topic]! + 1
    if (seq > expected) this.faults.lost += seq - expected
    // What comes late was counted as lost before: it is a fault in any case.
    if (seq < expected) this.faults.doubled++
    else this.last[topic] = seq
    // Over several topics their numbers say nothing of the order (I1).
    const offset = parseCursor(cursor)?.offset ?? '0-0'
    if (this.own === undefined && compareOffsets(this.offset, offset) >= 0) this.faults.misplaced++
    this.offset = offset
  }

  left(): void {
    this.leftAt ??= performance.now()
  }

  back(): void {
    if (this.leftAt === undefined) return
    this.absences.push(performance.now() - this.leftAt)
    this.leftAt = undefined
  }

  /** Events that it still has to hear. @param published events of each topic */
  missing(published: readonly number[]): number {
    if (this.own !== undefined) return published[this.own]! - this.last[this.own]!
    return published.reduce((sum, count, topic) => sum + count - this.last[topic]!, 0)
  }
}
