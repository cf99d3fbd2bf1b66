/**
 * What comes in: keeps the hub's subscriptions in step with the user's over all connections, and hands events on.
 *
 * Backfill travels in answers, live in messages. A subscription reads its answers, page by page, until one of them has
 * joined it to the live stream; what comes live before that is not yet its business, and after it everything is. So a
 * subscription's own order needs no waiting; the order over all of them is `Merge`'s.
 */
import { type Cursor, type Gap, HubError, type HubEvent, isAfter, matches, parseCursor, type SubscribeRequest, type SubscribeResult } from '@hubbub/protocol'
import type { SubscribeOptions } from './client.js'
import { errorOf, retryAfter, type Link, type Requests } from './link.js'
import { Merge, offsetOf } from './merge.js'
import { backoffDelay, type Backoff } from './state.js'
import { OwnSubscription } from './subscription.js'

export interface FeedDeps {
  link(): Pick<Link, 'request' | 'isOpen'>
  bufferLimit: number
  backoff: Backoff
  onEvent: (event: HubEvent, cursor: Cursor) => void
  onGap(gap: Gap): void
  onError(error: HubError): void
  onThrow: (error: unknown) => void
  /** Some subscription began to read, or the last one went live. */
  onReading(isReading: boolean): void
}

export class Feed {
  readonly #subscriptions = new Set<OwnSubscription>()
  readonly #merge: Merge
  /** Raised with each connection: what was asked on an older one is void. */
  #round = 0
  #asking = 0
  /** A change of subscriptions was under way when the connection ended: what the hub holds is not known. */
  #isUnclear = false
  #toldGap = ''

  constructor(private readonly deps: FeedDeps) {
    this.#merge = new Merge(deps.onEvent, deps.bufferLimit, (from) => void this.#readAgain(from))
  }

  get cursor(): Cursor | undefined {
    return this.#merge.cursor
  }

  get isReading(): boolean {
    for (const { phase, since } of this.#subscriptions) if (phase === 'reading' && since !== undefined) return true
    return false
  }

  /** Resolves with the hub's first answer; without a connection that is when there is one. */
  subscribe(options: SubscribeOptions): Promise<OwnSubscription> {
    const { bufferLimit, onThrow } = this.deps
    const subscription = new OwnSubscription(options, { bufferLimit, onThrow, leave: (left) => this.#leave(left) })
    this.#subscriptions.add(subscription)
    return new Promise((resolve, reject) => {
      subscription.onceAnswered = (error) => (error ? reject(error) : resolve(subscription))
      if (this.deps.link().isOpen) void this.#read(subscription, this.#round)
    })
  }

  // ---------------------------------------------------------------- the link's side

  async opened(recovered: boolean): Promise<void> {
    const round = ++this.#round
    this.#toldGap = ''
    this.#merge.opened()
    if (!recovered || this.#isUnclear) return await this.#makeAnew(round, recovered)
    // The hub restored the subscriptions and replays behind the last cursor: only those that it did not have yet are left.
    for (const subscription of this.#subscriptions) if (subscription.phase === 'reading') void this.#read(subscription, round)
    this.deps.onReading(this.isReading)
  }

  dropped(): void {
    this.#round++
    if (this.#asking > 0) this.#isUnclear = true
  }

  event(event: HubEvent, cursor: Cursor): void {
    let isTheirs = false
    let isRead = false
    for (const subscription of this.#subscriptions) {
      const isWanted = matches({ ...subscription.asked, topics: subscription.topics }, event)
      if (subscription.phase !== 'live') isRead ||= isWanted
      else if (isWanted) {
        isTheirs = true
        subscription.deliver(event, cursor)
      } else subscription.advance(cursor)
    }
    // Mail is nobody's subscription. What only those want that still read, they will read.
    this.#merge.live(cursor, isTheirs || !isRead ? event : undefined)
  }

  /** Everything up to here has come, for all that is live. */
  bookmark(cursor: Cursor): void {
    if (!parseCursor(cursor)) return
    for (const subscription of this.#subscriptions) if (subscription.phase === 'live') subscription.advance(cursor)
    this.#merge.live(cursor)
  }

  gap(gap: Gap): void {
    const live = [...this.#subscriptions].filter((subscription) => subscription.phase === 'live')
    // At the beginning of a connection it is about the session before, for clients that do not read again. We do: each
    // answer says whether anything is missing.
    if (live.length === 0 || gap.reason === 'session') return
    for (const subscription of live) if (gap.reason !== 'trimmed' || !subscription.hasCome(gap.to)) subscription.gap(gap)
    this.#tellGap(gap, true)
    this.#merge.live(gap.to)
  }

  closed(error?: HubError): void {
    this.#round++
    for (const subscription of this.#subscriptions) {
      subscription.onceAnswered?.(error ?? new HubError('UNAVAILABLE', 'The client was closed.'))
      subscription.end(error)
    }
    this.#subscriptions.clear()
  }

  // ---------------------------------------------------------------- asking the hub

  /** @param hasOthers the hub holds subscriptions of this connection */
  async #makeAnew(round: number, hasOthers: boolean): Promise<void> {
    for (const subscription of this.#subscriptions) this.#restart(subscription)
    this.deps.onReading(this.isReading)
    if (hasOthers) await this.#dropAll()
    if (round !== this.#round) return
    this.#isUnclear = false
    for (const subscription of this.#subscriptions) void this.#read(subscription, round)
  }

  /** Too much came live while some history was read: all subscriptions read on together from there. */
  async #readAgain(from: Cursor): Promise<void> {
    const round = ++this.#round
    for (const subscription of this.#subscriptions) if (subscription.hasCome(from)) subscription.again = laterCursor(from, subscription.begin)
    this.#merge.opened()
    await this.#makeAnew(round, true)
  }

  #restart(subscription: OwnSubscription): void {
    subscription.phase = 'reading'
    subscription.id = undefined
    if (subscription.since !== undefined) this.#merge.join(subscription, subscription.again ?? subscription.position)
  }

  /** Reads one subscription until it is live, or the connection is another. */
  async #read(subscription: OwnSubscription, round: number): Promise<void> {
    if (subscription.since !== undefined) this.#merge.join(subscription, subscription.again ?? subscription.position)
    this.deps.onReading(this.isReading)
    for (let attempt = 0; round === this.#round && this.#subscriptions.has(subscription); ) {
      try {
        const result = await this.#ask(subscription)
        if (round !== this.#round) return
        attempt = 0
        if (!result.more) break
        // History read at a consumer's pace would hold up the events of all others.
        if (subscription.isPacing) this.#merge.leave(subscription)
        await subscription.hasRoom()
        await this.#merge.room(subscription)
      } catch (error) {
        if (!(error instanceof HubError)) return
        if (!error.retryable) return this.#refused(subscription, error)
        await pause(retryAfter(error) ?? backoffDelay(attempt++, this.deps.backoff, Math.random()))
      }
    }
    if (round === this.#round) this.deps.onReading(this.isReading)
  }

  async #ask(subscription: OwnSubscription): Promise<SubscribeResult> {
    const { topics, types, filter, batchMs, latestOnly } = subscription.asked
    const { since } = subscription
    const request: SubscribeRequest = {
      topics, ...(types && { types }), ...(filter && { filter }), ...(since !== undefined && { since }), ...(batchMs !== undefined && { batchMs }), ...(latestOnly && { latestOnly }),
    }
    const round = this.#round
    // On the connection before, what it joined is of no use any more.
    return await this.#change('subscribe', request, (result) => round === this.#round && this.#take(subscription, result))
  }

  /** In the answer's own turn: an event right behind it is the subscription's already (I2). */
  #take(subscription: OwnSubscription, result: SubscribeResult): void {
    if (subscription.phase === 'ended') {
      if (result.subscriptionId !== undefined) void this.#tellLeft(result.subscriptionId)
      return
    }
    subscription.topics = result.topics
    if (result.gap) {
      const wasHere = subscription.position !== undefined
      if (subscription.again === undefined || !subscription.hasCome(result.gap.to)) subscription.gap(result.gap)
      this.#tellGap(result.gap, wasHere)
    }
    const events = result.events ?? []
    for (const { event, cursor } of events) subscription.deliver(event, cursor)
    if (subscription.since === undefined) subscription.begin = result.cursor
    subscription.advance(result.cursor)
    if (subscription.again !== undefined) subscription.again = result.more && subscription.hasCome(result.cursor) ? result.cursor : undefined
    if (!result.more) subscription.goLive(result.subscriptionId)
    this.#merge.page(subscription, events, result.cursor)
    if (!result.more) this.#merge.leave(subscription)
    subscription.onceAnswered?.()
    subscription.onceAnswered = undefined
  }

  #refused(subscription: OwnSubscription, error: HubError): void {
    this.#subscriptions.delete(subscription)
    this.#merge.leave(subscription)
    if (subscription.onceAnswered) subscription.onceAnswered(error)
    else this.deps.onError(error)
    subscription.end(error)
    this.deps.onReading(this.isReading)
  }

  async #leave(subscription: OwnSubscription): Promise<void> {
    this.#subscriptions.delete(subscription)
    this.#merge.leave(subscription)
    this.deps.onReading(this.isReading)
    // Without an id its answer is still under way, and `#take` tells the hub.
    if (!this.deps.link().isOpen) this.#isUnclear = true
    else if (subscription.id !== undefined) await this.#tellLeft(subscription.id)
  }

  async #tellLeft(subscriptionId: string): Promise<void> {
    await this.#change('unsubscribe', { subscriptionId }).catch((error: unknown) => {
      if (error instanceof HubError && error.code !== 'NOT_SUBSCRIBED') this.deps.onError(error)
    })
  }

  async #dropAll(): Promise<void> {
    await this.#change('unsubscribe', {}).catch((error: unknown) => {
      if (error instanceof HubError) this.deps.onError(error)
    })
  }

  async #change<K extends 'subscribe' | 'unsubscribe'>(name: K, payload: Requests[K][0], take?: (result: Requests[K][1]) => unknown): Promise<Requests[K][1]> {
    this.#asking++
    try {
      const answer = await this.deps.link().request(name, payload, { heard: (heard) => heard.ok && take?.(heard) })
      if (!answer.ok) throw errorOf(answer.error)
      return answer
    } finally {
      this.#asking--
    }
  }

  /** @param wasHere what this client was given is concerned, and not only an old cursor that a user brought along */
  #tellGap(gap: Gap, wasHere: boolean): void {
    if (wasHere && gap.reason !== 'trimmed') this.#merge.jump(gap.to)
    const key = `${gap.reason} ${gap.from}`
    if (key !== this.#toldGap) this.deps.onGap(gap)
    this.#toldGap = key
  }
}

function laterCursor(a: Cursor, b: Cursor | undefined): Cursor {
  return b !== undefined && isAfter(offsetOf(b), offsetOf(a)) ? b : a
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
