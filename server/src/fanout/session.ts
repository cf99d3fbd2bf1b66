/**
 * A connection's place in the journal, whatever gateway it came through.
 *
 *                  behind: reconnect, recovery, slow socket, jump of the tail
 *            +------------------------------------------+
 *            v                                          |
 *       catching-up  --- cursor is at flushed --->     live
 *            |                                          |
 *            +------------> closed <--------------------+
 *
 * Live: its audience gets every burst; its position is the tail's flushed one. Catching up: it reads from its own cursor,
 * at the pace of its socket, and goes live in one synchronous step (I2, I7).
 */
import { isAfter, type Gap, type Offset, type Cursor } from '@hubbub/protocol'
import type { Chronicle } from './chronicle.js'
import type { Chunk, Encoding } from './entry.js'
import { PAGE } from './pages.js'
import { INBOX, interestKey, type Subscription } from './subscription.js'
import type { PartitionTail } from './tail.js'

export type SessionState = 'live' | 'catching-up' | 'closed'
export type SessionInput = 'reached' | 'fell-behind' | 'close'

/** Complete: a missing cell does not compile. */
const TRANSITIONS: Record<SessionState, Record<SessionInput, SessionState>> = {
  live: { reached: 'live', 'fell-behind': 'catching-up', close: 'closed' },
  'catching-up': { reached: 'live', 'fell-behind': 'catching-up', close: 'closed' },
  closed: { reached: 'closed', 'fell-behind': 'closed', close: 'closed' },
}

export function nextState(state: SessionState, input: SessionInput): SessionState {
  return TRANSITIONS[state][input]
}

/** What fan-out needs of a gateway's connection. All methods are synchronous but `drained`. */
export interface Outlet {
  readonly encoding: Encoding
  /** Events, in order; queued at worst. */
  write(chunk: Chunk): void
  /** A bookmark: the connection holds everything up to here. */
  bookmark(cursor: Cursor): void
  gap(gap: Gap): void
  /** What the socket was given but has not sent. */
  waiting(): { bytes: number; packets: number }
  /** Of a wire on which receivers confirm: the last one confirmed. What is written and not yet confirmed counts as on its way. */
  confirmed?(): Cursor
  /** Resolves when (nearly) nothing waits any more, or the connection is gone. */
  drained(): Promise<void>
}

export class Session {
  readonly subscriptions = new Map<string, Subscription>()
  state: SessionState = 'catching-up'
  /** While it catches up: entries of its next page. */
  pageEvents = PAGE
  /** Raised with each change of subscriptions: a page that was read for others is thrown away. */
  version = 0
  /** ms, `Date.now()`: when the client last heard a cursor. */
  heardAt = Date.now()
  /** The bookmark it was last given. */
  heardCursor?: Cursor
  /** Told when its socket was given mail. */
  onMail?: () => void
  /** Live: up to where it was given everything, when its audience still gathers what lies behind; undefined when nothing waits. */
  gathering?: () => Cursor | undefined
  /** For whoever asks later what became of an event. */
  chronicle!: Chronicle
  private offset!: Offset

  /** @param cursor the connection holds everything up to here; must be well-formed */
  constructor(readonly project: string, readonly tail: PartitionTail, readonly outlet: Outlet, private cursor: Cursor) {
    this.moveTo(cursor)
  }

  /** The connection was given everything up to here. */
  get position(): Offset {
    return this.state === 'live' ? offsetOf(this.positionCursor) : this.offset
  }

  get positionCursor(): Cursor {
    return this.state === 'live' ? (this.gathering?.() ?? this.tail.cursor) : this.cursor
  }

  /** As `position`; within a burst also what it was given of that. */
  get given(): Offset {
    return this.isAhead ? this.offset : this.position
  }

  /** Up to where its receiver has all that it was given; undefined where receivers do not say. */
  get confirmed(): Offset | undefined {
    const cursor = this.outlet.confirmed?.()
    return cursor === undefined ? undefined : offsetOf(cursor)
  }

  moveTo(cursor: Cursor): void {
    this.cursor = cursor
    this.offset = offsetOf(cursor)
  }

  /** What it cannot be given. */
  tell(gap: Gap): void {
    this.outlet.gap(gap)
    this.chronicle.told(gap)
  }

  /** After an epoch gap offsets of the lost branch mean nothing: what follows counts for every subscription. */
  rebase(offset: Offset): void {
    this.chronicle.rebased(offset)
    for (const [id, subscription] of this.subscriptions) {
      if (isAfter(subscription.from, offset)) this.subscriptions.set(id, { ...subscription, from: offset })
    }
  }

  /** What its client asked for: all but the mail that comes with the connection. */
  get chosen(): Subscription[] {
    return [...this.subscriptions.values()].filter(({ id }) => id !== INBOX)
  }

  get inbox(): Subscription | undefined {
    return this.subscriptions.get(INBOX)
  }

  get isAhead(): boolean {
    return isAfter(this.offset, this.tail.flushed)
  }

  /** Sessions with equal keys share an audience. */
  get audienceKey(): string {
    return audienceKey(this.outlet.encoding.name, this.project, this.chosen)
  }
}

/** @param chosen without mail */
export function audienceKey(encoding: string, project: string, chosen: readonly Subscription[]): string {
  return `${encoding} ${project} ${[...new Set(chosen.map(interestKey))].sort().join(' ')}`
}

function offsetOf(cursor: Cursor): Offset {
  return cursor.slice(cursor.indexOf('.') + 1)
}
