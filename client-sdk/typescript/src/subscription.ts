/** The consumer's side of a subscription: handlers, the iterator and its buffer. What is asked of the hub: `feed.ts`. */
import { HubError, isAfter, type Cursor, type Gap, type HubEvent, type Since } from '@hubbub/protocol'
import type { EventHandler, Place, Subscription, SubscribeOptions } from './client.js'
import { Listeners } from './listeners.js'
import { offsetOf } from './merge.js'

export interface SubscriptionDeps {
  bufferLimit: number
  onThrow: (error: unknown) => void
  /** Tells the hub. */
  leave(subscription: OwnSubscription): Promise<void>
}

export class OwnSubscription implements Subscription {
  id: string | undefined
  topics: readonly string[]
  phase: 'reading' | 'live' | 'ended' = 'reading'
  /** Everything up to here has come; what comes again is dropped. Of answers too, so not always an event's. */
  position: Cursor | undefined
  /** What lies behind it is read again, for others than this subscription: up to the position it is nothing new here. */
  again: Cursor | undefined
  /** Where it began, if it is to have only what was to come. */
  begin: Cursor | undefined
  /** Until the hub answered for the first time. */
  onceAnswered: ((error?: HubError) => void) | undefined
  readonly #handlers: Listeners<[HubEvent, Place]>
  readonly #gaps: Listeners<[Gap]>
  readonly #ends: Listeners<[HubError?]>
  readonly #live = new Deferred()
  #queue: { event: HubEvent; cursor: Cursor }[] = []
  #taken: Cursor | undefined
  /** `nobody`: kept for the first consumer. `spilled`: nobody came before the buffer was full. */
  #reader: 'nobody' | 'spilled' | 'handlers' | 'iterator' = 'nobody'
  /** Of the first answer, which comes before anybody has the subscription: kept for whoever asks for gaps first. */
  #firstGap: Gap | undefined
  #error: HubError | undefined
  #wake: (() => void)[] = []
  #room: (() => void)[] = []

  constructor(readonly asked: SubscribeOptions, private readonly deps: SubscriptionDeps) {
    this.topics = asked.topics
    this.#handlers = new Listeners(deps.onThrow)
    this.#gaps = new Listeners(deps.onThrow)
    this.#ends = new Listeners(deps.onThrow)
    // Whoever does not ask need not hear.
    this.#live.promise.catch(() => undefined)
  }

  /** What to ask for next; undefined: only what is to come. */
  get since(): Since | undefined {
    return this.again ?? this.position ?? this.asked.since
  }

  get cursor(): Cursor | undefined {
    return this.#queue.length > 0 ? this.#taken : this.position
  }

  on(handler: EventHandler): () => void {
    const off = this.#handlers.add(handler)
    if (this.#reader === 'nobody') for (const { event, cursor } of this.#queue.splice(0)) this.#handlers.tell(event, { cursor })
    if (this.#reader === 'spilled') this.deps.onThrow(this.#overflow())
    if (this.#reader !== 'iterator') this.#reader = 'handlers'
    return off
  }

  onGap(handler: (gap: Gap) => void): () => void {
    const off = this.#gaps.add(handler)
    const first = this.#firstGap
    this.#firstGap = undefined
    if (first) this.#gaps.tell(first)
    return off
  }

  onEnd(handler: (error?: HubError) => void): () => void {
    return this.#ends.add(handler)
  }

  live(): Promise<void> {
    return this.#live.promise
  }

  async unsubscribe(): Promise<void> {
    if (this.phase === 'ended') return
    this.end()
    await this.deps.leave(this)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<HubEvent, void, void> {
    if (this.#reader === 'spilled') await this.#fail(this.#overflow())
    this.#reader = 'iterator'
    try {
      for (;;) {
        const next = this.#queue.shift()
        if (next) {
          this.#taken = next.cursor
          if (this.#queue.length <= this.deps.bufferLimit / 2) release(this.#room)
          yield next.event
        } else if (this.#error) throw this.#error
        else if (this.phase === 'ended') return
        else await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
    } finally {
      await this.unsubscribe()
    }
  }

  // ---------------------------------------------------------------- the feed's side

  /** Hands on whatever lies behind the position. */
  deliver(event: HubEvent, cursor: Cursor): void {
    if (this.phase === 'ended' || this.hasCome(cursor)) return
    this.position = cursor
    this.#handlers.tell(event, { cursor })
    if (this.#reader === 'handlers' || this.#reader === 'spilled') return
    // Pages wait for room (`hasRoom`), live events cannot.
    if (this.phase === 'live' && this.#queue.length >= this.deps.bufferLimit) return this.#spill()
    this.#queue.push({ event, cursor })
    release(this.#wake)
  }

  /** Before the next page is asked for. Only an iterator makes the pages wait: nobody else would ever make room. */
  async hasRoom(): Promise<void> {
    while (this.isPacing) await new Promise<void>((resolve) => this.#room.push(resolve))
    if (this.#reader === 'nobody' && this.#queue.length >= 2 * this.deps.bufferLimit) this.#spill()
  }

  get isPacing(): boolean {
    return this.#reader === 'iterator' && this.phase !== 'ended' && this.#queue.length > this.deps.bufferLimit / 2
  }

  /** What lies before it has come, or is not for this subscription. Never back: over HTTP a poll is told of what others have yet to hear. */
  advance(cursor: Cursor): void {
    if (!this.hasCome(cursor)) this.position = cursor
  }

  hasCome(cursor: Cursor): boolean {
    return this.position !== undefined && !isAfter(offsetOf(cursor), offsetOf(this.position))
  }

  gap(gap: Gap): void {
    this.position = gap.to
    if (this.onceAnswered) this.#firstGap = gap
    else this.#gaps.tell(gap)
  }

  goLive(id: string | undefined): void {
    this.id = id
    this.phase = 'live'
    this.#live.resolve()
  }

  end(error?: HubError): void {
    const wasEnded = this.phase === 'ended'
    this.phase = 'ended'
    this.#error ??= error
    this.#live.reject(error ?? new HubError('NOT_SUBSCRIBED', 'The subscription was ended.'))
    release(this.#wake)
    release(this.#room)
    if (!wasEnded) this.#ends.tell(error)
  }

  #spill(): void {
    this.#queue = []
    if (this.#reader !== 'iterator') {
      this.#reader = 'spilled'
      return
    }
    // So that a consumer can go on from `cursor`, behind what it took.
    this.position = this.#taken
    this.#fail(this.#overflow()).catch(() => undefined)
  }

  async #fail(error: HubError): Promise<void> {
    this.end(error)
    await this.deps.leave(this)
  }

  #overflow(): HubError {
    return new HubError('QUEUE_FULL', `The consumer of ${this.topics.join(', ')} fell ${this.deps.bufferLimit} events behind (bufferLimit); they were dropped.`)
  }
}

/** `Promise.withResolvers` is not there on Node 20. */
class Deferred {
  resolve!: () => void
  reject!: (error: HubError) => void
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve
    this.reject = reject
  })
}

function release(waiting: (() => void)[]): void {
  for (const resolve of waiting.splice(0)) resolve()
}
