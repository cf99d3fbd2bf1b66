/**
 * Recovery of stock clients. A client that comes back presents its session id and the last cursor it heard, as
 * Socket.IO's own connection state recovery has it; what it missed is read from the journal, on whatever worker it came to.
 */
import { randomBytes } from 'node:crypto'
import { formatCursor, ORIGIN, parseCursor, type Cursor, type Gap } from '@hubbub/protocol'
import type { Session as SocketSession } from 'socket.io-adapter'
import type { Identity } from '../../access/identity.js'
import { cursorAt, resume } from '../../fanout/epochs.js'
import type { Journal, SessionRecord, Sessions } from '../../store/port.js'

/** What a handshake brought, settled before the connection is accepted. */
export interface Resumed {
  id: string
  generation: number
  record: SessionRecord
  cursor: Cursor
}

/** Whose session it is, as `restore` read it; stands in `socket.data` until the connection is admitted. Never changes. */
export type Owner = Pick<SessionRecord, 'subject' | 'project'>

/** The id tells the partition, so that a session is found before it is known whose it is. */
export function newSessionId(partition: number): string {
  return `${partition}.${randomBytes(15).toString('base64url')}`
}

const SESSION_ID = /^(\d{1,4})\.[A-Za-z0-9_-]{20}$/

export class Recovery {
  constructor(private readonly deps: { sessions: Sessions; journal: Journal; partitions: number; ttlMs: number }) {}

  /**
   * For the adapter's `restoreSession`, before authentication: only whether the session exists and its cursor is covered.
   * No rooms, no packets, a fresh socket id; nothing is taken from the older holder yet.
   */
  async restore(id: string, text: string): Promise<SocketSession | undefined> {
    const partition = this.partitionOf(id)
    const cursor = parseCursor(text)
    if (partition === undefined || !cursor) return undefined
    const [known, head] = await Promise.all([this.deps.sessions.peek(partition, id), this.deps.journal.head(partition)])
    if (!known || resume(cursor, head).gap) return undefined
    const { subject, project } = known.record
    return { sid: randomBytes(15).toString('base64url'), pid: id, rooms: [], missedPackets: [], data: { subject, project } satisfies Owner }
  }

  /**
   * After authentication: takes the session from its older holder. Undefined: it is somebody else's, or gone, or empty. Its client may have been
   * cut off while it subscribed for the first time: told that it is recovered it would not do so again, and hear nothing for ever.
   */
  async take(id: string, cursor: string, owner: Owner, identity: Identity): Promise<Resumed | undefined> {
    const partition = this.partitionOf(id)
    if (partition === undefined || !parseCursor(cursor)) return undefined
    if (owner.subject !== identity.subject || owner.project !== identity.project) return undefined
    const taken = await this.deps.sessions.take(partition, id, this.deps.ttlMs)
    return taken && taken.record.subscriptions.length > 0 ? { id, cursor, ...taken } : undefined
  }

  /** What a client that could not be resumed is told: between its cursor and now it may have missed something. */
  async gapSince(text: unknown, partition: number): Promise<Gap | undefined> {
    const cursor = parseCursor(text)
    if (!cursor) return undefined
    const head = await this.deps.journal.head(partition)
    const { gap } = resume(cursor, head)
    if (gap) return gap
    return { from: formatCursor(cursor.epoch, cursor.offset), to: cursorAt(head.last === ORIGIN ? cursor.offset : head.last, head.epochs), reason: 'session' }
  }

  private partitionOf(id: string): number | undefined {
    const match = SESSION_ID.exec(id)
    const partition = match ? Number(match[1]) : Number.NaN
    return partition < this.deps.partitions ? partition : undefined
  }
}
