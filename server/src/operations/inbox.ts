/**
 * Agents' mail. A connection of an agent is subscribed to `inbox:ID` from its first moment. A session that comes back continues from its
 * own cursor, like with any subscription; one that begins anew (a fresh process) begins where the agent's mail was last handed to one
 * of its connections, so that what came while it was away comes first, in order.
 *
 * The mark is moved on soon after mail was written, and at a connection's end. A worker that is killed between leaves it behind: mail of
 * its last moments is then repeated to a fresh session, never lost. Delegations carry a `leaseToken` by which a repetition is known.
 */
import { compareOffsets, formatCursor, isAfter, isTopic, parseCursor, partitionOf, type Cursor, type Gap } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import { cursorAt, resume } from '../fanout/epochs.js'
import type { Lane } from '../fanout/lane.js'
import { readWindow } from '../fanout/pages.js'
import { INBOX, type Subscription } from '../fanout/subscription.js'
import type { PartitionTail } from '../fanout/tail.js'
import type { Logger } from '../observe/log.js'
import { topicKey, type Journal, type JournalHead, type Mailbox } from '../store/port.js'

/** Where an agent's fresh session begins. */
export interface MailStart {
  /** Everything of its mail up to here was handed over before. */
  cursor: Cursor
  subscription: Subscription
  /** Mail between the mark and what the journal still has may be lost (I2). */
  gap?: Gap
}

/** What the inbox needs of a connection. */
export interface Reader {
  readonly identity: Identity
  readonly session: { readonly positionCursor: Cursor; readonly inbox: unknown; readonly outlet: { waiting(): { bytes: number } }; onMail?: () => void }
}

export interface InboxDeps {
  mailbox: Mailbox
  journal: Journal
  partitions: number
  retentionMs: number
  log: Logger
}

/** Marks are gathered for this long: one command for each agent; ms. */
const GATHER_MS = 200
/** A mark outlives its last move by this at least, ms. */
const LEAST_MARK_MS = 3_600_000

/** An agent's mailbox; undefined for whoever has none: no agent, or of a name that fits no topic. */
export function inboxOf(identity: Identity): string | undefined {
  const topic = `inbox:${identity.subject}`
  return identity.role === 'agent' && isTopic(topic) ? topic : undefined
}

export function inboxSubscription(topic: string, cursor: Cursor): Subscription {
  return { id: INBOX, topics: [topic], from: parseCursor(cursor)!.offset }
}

export class Inbox {
  private readonly readers = new Set<Reader>()
  /** Whose marks are to be moved. */
  private readonly due = new Set<Reader>()
  private readonly writing = new Set<Promise<void>>()
  private gathering?: NodeJS.Timeout
  private readonly renewal: NodeJS.Timeout
  private readonly ttlMs: number

  constructor(private readonly deps: InboxDeps) {
    this.ttlMs = Math.max(2 * deps.retentionMs, LEAST_MARK_MS)
    // Of an agent without mail, too: a mark that the journal was trimmed past would be told as a gap.
    this.renewal = setInterval(() => this.renew(), Math.max(250, Math.min(deps.retentionMs / 4, 60_000)))
    this.renewal.unref()
  }

  /** Undefined: the identity has no mailbox. Rejects when the store is away, for nobody could tell what was handed over. */
  async start(identity: Identity, lane: Lane): Promise<MailStart | undefined> {
    const topic = inboxOf(identity)
    if (topic === undefined) return undefined
    const { mailbox, journal } = this.deps
    const { project, subject } = identity
    const { tail } = lane
    const [text, head] = await Promise.all([mailbox.read(tail.partition, project, subject), journal.head(tail.partition)])
    const mark = parseCursor(text)
    // Never seen before: all mail that is kept.
    const { after, gap } = mark ? resume(mark, head) : { after: head.floor, gap: undefined }
    const cursor = await this.firstMail(tail, project, topic, mark && !gap ? formatCursor(mark.epoch, mark.offset) : cursorAt(after, head.epochs), head)
    return { cursor, subscription: inboxSubscription(topic, cursor), ...(gap && { gap }) }
  }

  /** The cursor before the first mail behind `begin`; without any the worker's own, so that the session is live at once. */
  private async firstMail(tail: PartitionTail, project: string, topic: string, begin: Cursor, head: JournalHead): Promise<Cursor> {
    const { offset: after } = parseCursor(begin)!
    const upTo = tail.flushed
    const here = tail.cursor
    // Another worker, further on than this one, handed mail over: the session waits for this worker there.
    if (compareOffsets(after, upTo) >= 0) return begin
    const near = readWindow(tail.window, project, [{ topics: [topic] }], after, upTo)
    if (near) return near.entries.length > 0 ? begin : here
    for (let at = after; isAfter(upTo, at); ) {
      const page = await this.deps.journal.readTopics(tail.partition, [topicKey(project, topic)], at, upTo, 1)
      const [first] = page.entries
      if (first) return cursorAt(first.previous, head.epochs)
      at = page.reached
    }
    return here
  }

  attend(reader: Reader): void {
    if (!reader.session.inbox) return
    this.readers.add(reader)
    reader.session.onMail = () => this.note(reader)
  }

  /** Before the session is closed: its position is the mark's. */
  leave(reader: Reader): void {
    if (!this.readers.delete(reader)) return
    this.due.delete(reader)
    reader.session.onMail = undefined
    this.mark([reader])
  }

  /**
   * An agent that polls has its mail up to the cursor. What the journal does not know is not believed: an offset of the future would hide
   * mail that nobody saw. Best effort, like every mark.
   */
  taken(identity: Identity, cursor: Cursor): void {
    const place = parseCursor(cursor)
    if (inboxOf(identity) === undefined || !place) return
    const { journal, partitions, log } = this.deps
    void this.track(journal.head(partitionOf(identity.project, partitions)).then(
      async (head) => {
        if (!resume(place, head).gap && !isAfter(place.offset, head.last)) await this.write(identity, cursor)
      },
      (error: unknown) => log.debug({ err: error, agent: identity.subject, project: identity.project }, 'an agent\'s mail was not marked as taken'),
    ))
  }

  /** Resolves when what is to be marked is written, or could not be. */
  async close(): Promise<void> {
    clearInterval(this.renewal)
    this.flush()
    await Promise.all(this.writing)
  }

  private note(reader: Reader): void {
    this.due.add(reader)
    this.gathering ??= setTimeout(() => this.flush(), GATHER_MS)
  }

  private renew(): void {
    for (const reader of this.readers) this.note(reader)
  }

  private flush(): void {
    clearTimeout(this.gathering)
    this.gathering = undefined
    const readers = [...this.due]
    this.due.clear()
    this.mark(readers)
  }

  /** One command for each agent, however many of its connections are here: the store takes no mark back. */
  private mark(readers: readonly Reader[]): void {
    const marks = new Map<string, { identity: Identity; cursor: Cursor }>()
    for (const { identity, session } of readers) {
      // What waits in this process is not yet handed over; the next round looks again.
      if (session.outlet.waiting().bytes > 0) continue
      const key = topicKey(identity.project, identity.subject)
      const cursor = session.positionCursor
      const other = marks.get(key)
      if (!other || compareOffsets(offsetOf(cursor), offsetOf(other.cursor)) > 0) marks.set(key, { identity, cursor })
    }
    for (const { identity, cursor } of marks.values()) void this.write(identity, cursor)
  }

  /** A mark that could not be written costs a repetition. */
  private write({ project, subject }: Identity, cursor: Cursor): Promise<void> {
    const { mailbox, partitions, log } = this.deps
    return this.track(mailbox.mark(partitionOf(project, partitions), project, subject, cursor, this.ttlMs).catch((error: unknown) => {
      log.debug({ err: error, agent: subject, project }, 'the mark of an agent\'s mail was not moved')
    }))
  }

  /** The closing waits for it. */
  private track(writing: Promise<void>): Promise<void> {
    this.writing.add(writing)
    return writing.finally(() => this.writing.delete(writing))
  }
}

function offsetOf(cursor: Cursor): string {
  return parseCursor(cursor)!.offset
}
