/** Why an event did or did not arrive: `GET /api/v1/trace/:eventId`. Times ISO 8601 Z, durations in ms. */
import type { Cursor, Offset } from './cursor.js'
import type { HubEvent } from './envelope.js'
import type { Failure } from './failures.js'

export type Trace = CommittedTrace | RefusedTrace | UnknownTrace

export interface CommittedTrace {
  status: 'committed'
  event: HubEvent
  cursor: Cursor
  received: Received
  committed: { at: string; offset: Offset; partition: number; epoch: string; batch?: number; processor?: string; afterMs: number }
  /** What it follows from, the nearest first. */
  causes: TracedEvent[]
  /** Id of the next cause, which was not found: trimmed, out of what was looked through, no event (`timer:…`), or not for the asker's eyes. */
  causeNotFound?: string
  /** What followed from it, each with what followed from that. */
  derived: DerivedEvent[]
  /** False: more may have followed than was looked for. */
  derivedComplete: boolean
  /** Of the asker's project alone (I6); for admins, empty for anybody else. */
  workers: WorkerAccount[]
  /** Of the session or subject that was asked about; absent when none was. */
  sessions?: SessionAccount[]
  /** So many more of the subject are not named. */
  sessionsMore?: number
}

/** It came in and was refused: it lies on the dead-letter stream. */
export interface RefusedTrace {
  status: 'refused'
  eventId: string
  at: string
  error: Pick<Failure, 'code' | 'message'>
  partition: number
  letter: string
  received: Received
}

/** Never accepted, of another project, or trimmed. */
export interface UnknownTrace {
  status: 'unknown'
  eventId: string
  /** The journal was looked through back to here. */
  since: string
  /** Entries that were looked through, of all projects: for operators (I6). */
  looked?: number
  /** True: back to the oldest that the journal has. False: further back it may still be; its cursor would find it. */
  complete: boolean
  /** Where a cursor was asked for that the journal is trimmed past: what can still be said of the session or subject. */
  sessions?: SessionAccount[]
}

export interface Received {
  at: string
  /** Who said it: `metadata.source`; absent for what cannot be told. */
  by?: string
  /** Worker that took it in; absent for what came through a source stream directly, and for what the hub derived. */
  worker?: string
  stream?: string
  /** Of that stream. */
  entry?: Offset
}

export interface TracedEvent {
  id: string
  type: string
  cursor: Cursor
}

export interface DerivedEvent extends TracedEvent {
  derived: DerivedEvent[]
}

/** Sessions of one worker, by what became of the event for them; each is counted once. */
export interface WorkerAccount {
  worker: string
  /** False: it did not answer in time; the counts are 0. */
  answered: boolean
  /** Whose subscriptions the event matches. */
  matched: number
  live: number
  /** Read from the journal later: they came back, asked for the past, or were behind. */
  caughtUp: number
  /** Still on their way to it. */
  catchingUp: number
  /** Given it later because their socket was slow when it came. */
  slow: number
  /** It lies in a gap that they were told. */
  gap: number
  /** Only the last of its kind was asked for, and another one came before it was due. */
  superseded: number
  /** Their connection ended before. */
  gone: number
}

export const FATES = ['live', 'caught-up', 'slow', 'catching-up', 'gap', 'superseded', 'not-subscribed', 'subscribed-later', 'filtered', 'no-permission', 'disconnected', 'expired'] as const
export type Fate = (typeof FATES)[number]

/** One session's part in it. */
export interface SessionAccount {
  session: string
  /** Of its last connection, where that has an id of its own. */
  connection?: string
  subject: string
  /** Empty: connected to none that is known. */
  worker: string
  /** How it is connected: `socketio`, `websocket`, `sse`, `http`, `sink`, `process`. */
  wire: string
  fate: Fate
  /** One sentence, with what would have to be otherwise. */
  why: string
  /** The subscription by which it matched, or would have but for its filter. */
  subscriptionId?: string
  /** When what `why` tells of happened. */
  at?: string
  /** Whether it was written to a connection of the session; absent: nobody knows. */
  given?: boolean
}
