/**
 * One client's connection, whatever gateway it came through: its identity, its place in the journal, its subscriptions.
 * Changes of subscriptions run one after the other; each is recorded before it is answered, so that it survives this
 * process (I8), and joins in the synchronous step in which its answer is given (I2: backfill in answers, live in messages).
 */
import { randomBytes } from 'node:crypto'
import { compareOffsets, HubError, laterOf, matches, parseCursor, parseSince, type Interest, type Cursor, type Offset, type SnapshotResult, type SubscribeResult, type UnsubscribeResult } from '@hubbub/protocol'
import { checkSubscribe, checkUnsubscribe } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'
import { may } from '../access/permissions.js'
import { cursorBehind, locate, readBackfill, type Backfill, type Start } from '../fanout/backfill.js'
import type { Who } from '../fanout/chronicle.js'
import { cursorAt } from '../fanout/epochs.js'
import type { Lane } from '../fanout/lane.js'
import { readWindow } from '../fanout/pages.js'
import type { Outlet, Session } from '../fanout/session.js'
import { INBOX, type Pace, type Subscription } from '../fanout/subscription.js'
import type { Settings } from '../settings/table.js'
import type { Journal } from '../store/port.js'
import type { Following } from './follow.js'
import { inboxOf, inboxSubscription, type MailStart } from './inbox.js'
import { grantedInterest, paceAsked } from './interest.js'

/** How long a worker may take to catch up with a cursor that another worker gave, ms. */
const AHEAD_MS = 10_000

export interface ConnectionDeps {
  journal: Journal
  settings: Settings
  /** Writes the session's record, before a change is answered; gateways without recovery pass none. */
  record?: (connection: Connection, subscriptions: readonly Subscription[]) => Promise<void>
  /** Rejects with `HubError`. */
  snapshot: (identity: Identity, input: unknown) => Promise<SnapshotResult>
}

/** Where a client stands that comes back, and what it was subscribed to. */
export interface Resume {
  cursor: Cursor
  subscriptions: readonly Subscription[]
}

/** What a subscription will be, but for its id and where it begins. */
type Asked = Interest & { pace?: Pace }

export class Connection {
  readonly session: Session
  private queue: Promise<unknown> = Promise.resolve()

  /** @param begin where the client stands, with what it was subscribed to; or, of an agent's new session, where its mail begins; and who it is to a trace */
  constructor(public identity: Identity, private readonly lane: Lane, outlet: Outlet, private readonly deps: ConnectionDeps, begin: { resume?: Resume; mail?: MailStart; following?: Following; who?: Who } = {}) {
    const { resume, mail, following } = begin
    const who = begin.who && { ...begin.who, identity }
    if (following) {
      if (following.gap) outlet.gap(following.gap)
      this.session = lane.open(identity.project, outlet, following.cursor, following.subscriptions, who)
      if (following.gap) this.session.chronicle.told(following.gap)
    } else if (resume) this.session = lane.open(identity.project, outlet, resume.cursor, restored(identity, resume), who)
    else {
      const here = mail === undefined || parseCursor(mail.cursor)?.offset === lane.tail.flushed
      this.session = lane.open(identity.project, outlet, here ? undefined : mail.cursor, mail ? [mail.subscription] : [], who)
    }
    // Of a client without subscriptions, too: coming back, it is told of no gap when it missed nothing. Best effort: nothing waits.
    if (!resume) void this.rewrite().catch(() => undefined)
  }

  /** An agent's mail included. */
  get subscriptions(): readonly Subscription[] {
    return [...this.session.subscriptions.values()]
  }

  /** What the client asked for. */
  get chosen(): readonly Subscription[] {
    return this.session.chosen
  }

  /** `answer` is called in the joining's own synchronous step; whatever is written after it comes after the backfill. */
  async subscribe(input: unknown, answer: (result: SubscribeResult) => void): Promise<void> {
    const request = checkSubscribe(input, this.deps.settings)
    const interest: Asked = { ...grantedInterest(this.identity, request), pace: paceAsked(request) }
    const start = request.since === undefined ? undefined : parseSince(request.since)
    await this.serially(() => (request.snapshot ? this.joinBehind(interest, answer) : this.join(interest, start, answer)))
  }

  async unsubscribe(input: unknown, answer: (result: UnsubscribeResult) => void): Promise<void> {
    const request = checkUnsubscribe(input, this.deps.settings)
    await this.serially(async () => {
      const leaving = this.chosen.filter(
        (subscription) =>
          (request.subscriptionId === undefined || subscription.id === request.subscriptionId) &&
          (request.topics === undefined || (subscription.topics.length === request.topics.length && request.topics.every((topic) => subscription.topics.includes(topic)))),
      )
      if (leaving.length === 0 && (request.subscriptionId !== undefined || request.topics !== undefined)) {
        throw new HubError('NOT_SUBSCRIBED', undefined, { ...request })
      }
      await this.record(this.subscriptions.filter((subscription) => !leaving.includes(subscription)))
      for (const subscription of leaving) this.lane.remove(this.session, subscription)
      this.session.outlet.bookmark(this.session.positionCursor)
      answer({ activeSubscriptions: this.chosen.length })
    })
  }

  /** New credentials for the same subject: what they no longer grant is dropped. */
  async renew(identity: Identity): Promise<void> {
    this.identity = identity
    this.session.chronicle.identity = identity
    await this.serially(async () => {
      const lost = this.subscriptions.filter((subscription) => !subscription.topics.every((topic) => may(identity, 'subscribe', topic)))
      if (lost.length === 0) return
      for (const subscription of lost) this.lane.remove(this.session, subscription, 'permission')
      await this.record(this.subscriptions)
    })
  }

  rewrite(): Promise<void> {
    return this.serially(() => this.record(this.subscriptions))
  }

  close(): void {
    this.lane.close(this.session)
  }

  /** The state first, then the events behind it: what came between stands in the answer, beside the snapshot's first page. */
  private async joinBehind(interest: Asked, answer: (result: SubscribeResult) => void): Promise<void> {
    this.requireRoom()
    const snapshot = await this.deps.snapshot(this.identity, { topics: interest.topics })
    await this.join(interest, parseSince(snapshot.cursor), (result) => answer({ ...result, snapshot }))
  }

  private requireRoom(): void {
    const { maxSubscriptions } = this.deps.settings
    if (this.chosen.length < maxSubscriptions) return
    throw new HubError('SUBSCRIPTION_LIMIT', undefined, { limit: maxSubscriptions, unit: 'subscriptions', setting: 'HUBBUB_MAX_SUBSCRIPTIONS' })
  }

  private async join(interest: Asked, start: Start | undefined, answer: (result: SubscribeResult) => void): Promise<void> {
    this.requireRoom()
    const past = start && (await this.readSince(interest, start))
    let backfill: Backfill | undefined = past
    if (past?.more) return answer(this.partial(interest, past, past.after))
    for (;;) {
      const from: Offset = backfill?.reached ?? this.lane.tail.flushed
      const subscription: Subscription = { id: randomBytes(9).toString('base64url'), ...interest, from }
      await this.record([...this.subscriptions, subscription])
      const rest = this.restUpTo(subscription, backfill)
      if (rest) return this.admit(subscription, { ...rest, after: past?.after }, backfill, answer)
      // The window moved past the answer while the record was written: read what lies between, once more.
      const upTo = this.lane.tail.flushed
      const more = await readBackfill(this.reader(), this.identity.project, interest, from, upTo, this.limitsAfter(backfill))
      backfill = { ...more, entries: [...(backfill?.entries ?? []), ...more.entries], gap: backfill?.gap ?? more.gap }
      if (backfill.more) {
        await this.record(this.subscriptions)
        return answer(this.partial(interest, backfill, past?.after ?? from))
      }
    }
  }

  /**
   * Between the record's offset and where the connection stands by now, events may have gone by: they belong into the answer.
   * Undefined when the window no longer has them.
   */
  private restUpTo(subscription: Subscription, backfill: Backfill | undefined): { entries: Backfill['entries']; joint: Offset } | undefined {
    const joint = laterOf(subscription.from, this.session.position)
    if (!backfill || joint === subscription.from) return { entries: [], joint }
    const page = readWindow(this.lane.tail.window, this.identity.project, [subscription], subscription.from, joint)
    if (!page || page.reached !== joint) return undefined
    return { entries: page.entries.filter((entry) => entry.event.project === this.identity.project && matches(subscription, entry.event)), joint }
  }

  private admit(subscription: Subscription, rest: { entries: Backfill['entries']; joint: Offset; after?: Offset }, backfill: Backfill | undefined, answer: (result: SubscribeResult) => void): void {
    if (this.session.state === 'closed') return
    this.lane.add(this.session, { ...subscription, from: rest.joint })
    if (rest.after !== undefined) this.session.chronicle.answered(subscription, rest.after, rest.joint, subscription.id)
    if (backfill?.gap) this.session.chronicle.told(backfill.gap)
    // Before the answer, so that a client that has the answer also has a cursor at or behind the record's offset.
    this.session.outlet.bookmark(this.session.positionCursor)
    const result: SubscribeResult = {
      subscriptionId: subscription.id,
      topics: [...subscription.topics],
      activeSubscriptions: this.chosen.length,
      cursor: cursorAt(rest.joint, this.lane.tail.epochs),
    }
    if (backfill) {
      result.events = placed([...backfill.entries, ...rest.entries])
      result.more = false
      if (backfill.gap) result.gap = backfill.gap
    }
    answer(result)
  }

  private partial(interest: Interest, backfill: Backfill, after: Offset): SubscribeResult {
    this.session.chronicle.answered(interest, after, backfill.reached)
    if (backfill.gap) this.session.chronicle.told(backfill.gap)
    const result: SubscribeResult = {
      topics: [...interest.topics],
      activeSubscriptions: this.chosen.length,
      cursor: cursorBehind(backfill, [...this.lane.tail.epochs]),
      events: placed(backfill.entries),
      more: true,
    }
    if (backfill.gap) result.gap = backfill.gap
    return result
  }

  private async readSince(interest: Interest, start: Start): Promise<Backfill & { after: Offset }> {
    const { tail } = this.lane
    const { project } = this.identity
    const deadline = Date.now() + AHEAD_MS
    for (;;) {
      const upTo = tail.flushed
      const { after, gap } = await locate(start, this.deps.journal, tail.partition, project, interest, upTo)
      if (compareOffsets(after, tail.flushed) <= 0) {
        const backfill = await readBackfill(this.reader(), project, interest, after, tail.flushed, this.limitsAfter(undefined))
        return { ...backfill, gap: gap ?? backfill.gap, after }
      }
      // The cursor comes from a worker that is ahead of this one: joining now would deliver again what lies between.
      if (Date.now() > deadline) throw new HubError('UNAVAILABLE', 'This worker is behind the cursor.', { cursor: cursorAt(after, tail.epochs) })
      await Promise.race([tail.nextMove(), new Promise((resolve) => setTimeout(resolve, 250).unref())])
    }
  }

  private limitsAfter(backfill: Backfill | undefined): { events: number; bytes: number } {
    const { pageEvents, pageBytes } = this.deps.settings
    const used = backfill?.entries ?? []
    return { events: Math.max(1, pageEvents - used.length), bytes: Math.max(1, pageBytes - used.reduce((sum, entry) => sum + entry.size, 0)) }
  }

  private reader() {
    return { journal: this.deps.journal, partition: this.lane.tail.partition, window: this.lane.tail.window }
  }

  private async record(subscriptions: readonly Subscription[]): Promise<void> {
    await this.deps.record?.(this, subscriptions)
  }

  private serially<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(step)
    this.queue = turn.catch(() => undefined)
    return turn
  }
}

/** Only what it may still see; and its mail, should the record be of before it was an agent. */
function restored(identity: Identity, { cursor, subscriptions }: Resume): Subscription[] {
  const granted = subscriptions.filter(({ topics }) => topics.every((topic) => may(identity, 'subscribe', topic)))
  const inbox = inboxOf(identity)
  if (inbox !== undefined && !granted.some(({ id }) => id === INBOX)) granted.push(inboxSubscription(inbox, cursor))
  return granted
}

function placed(entries: Backfill['entries']): NonNullable<SubscribeResult['events']> {
  return entries.map((entry) => ({ event: entry.event, cursor: entry.cursor }))
}
