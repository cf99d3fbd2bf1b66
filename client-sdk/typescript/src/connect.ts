/** The only place that puts the parts together: a link below, feed and outbox on it, the user's handlers above. */
import { HubError, parseCursor, typeMatches, type Cursor, type EventMap, type Gap, type HubEvent, type PublishResult, type Signal } from '@hubbub/protocol'
import type { Client, EventHandler, PublishOptions, SubscribeOptions, Subscription } from './client.js'
import { Connection } from './connection.js'
import { Feed } from './feed.js'
import { Dropped, errorOf, type Link, type LinkEvents } from './link.js'
import { Listeners, throwOutside } from './listeners.js'
import { settle, type ConnectOptions, type Settled } from './options.js'
import { Outbox } from './outbox.js'
import { nextState, type ClientState, type StateInput } from './state.js'

/** Begins to connect, and goes on until it succeeds, the hub refuses for good, or `close`. Throws RangeError for a wrong option. */
export function connect<Map extends object = EventMap>(url: string, options: ConnectOptions = {}): Client<Map> {
  const settled = settle(options)
  return new HubClient<Map>(settled, (events) => new Connection(url, settled, events))
}

export class HubClient<Map extends object> implements Client<Map> {
  #state: ClientState = 'connecting'
  /** Why the client was closed, when it was not its user. */
  #end: HubError | undefined
  readonly #link: Link
  readonly #feed: Feed
  readonly #outbox: Outbox
  readonly #events = new globalThis.Map<string, Listeners<[HubEvent, { cursor: Cursor }]>>()
  readonly #errors = new Listeners<[HubError]>()
  readonly #onThrow = (error: unknown): void => this.#threw(error)
  readonly #states = new Listeners<[ClientState, ClientState]>(this.#onThrow)
  readonly #gaps = new Listeners<[Gap]>(this.#onThrow)
  readonly #signals = new Listeners<[Signal]>(this.#onThrow)

  constructor(options: Settled, makeLink: (events: LinkEvents) => Link) {
    const { bufferLimit, queueLimit, publishTimeoutMs, reconnect: backoff } = options
    const link = (): Link => this.#link
    this.#feed = new Feed({
      link,
      bufferLimit,
      backoff,
      onEvent: (event, cursor) => this.#hand(event, cursor),
      onGap: (gap) => this.#gaps.tell(gap),
      onError: (error) => this.#errors.tell(error),
      onThrow: this.#onThrow,
      onReading: (isReading) => this.#go(isReading ? 'filling' : 'filled'),
    })
    this.#outbox = new Outbox({ link, queueLimit, publishTimeoutMs, backoff })
    this.#link = makeLink({
      connecting: () => this.#go('retry'),
      opened: (recovered) => this.#opened(recovered),
      dropped: () => this.#dropped(),
      message: (name, args) => this.#message(name, args),
      troubled: (error) => this.#troubled(error),
      ended: (error) => this.#close(error),
    })
    this.#link.open()
  }

  get state(): ClientState {
    return this.#state
  }

  get transport(): string | undefined {
    return this.#link.transport
  }

  get cursor(): Cursor | undefined {
    return this.#feed.cursor
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      let off: (() => void) | undefined
      const look = (): void => {
        if (this.#state === 'live' || this.#state === 'catching-up') resolve()
        else if (this.#state === 'closed') reject(this.#end ?? new HubError('UNAVAILABLE', 'The client was closed.'))
        else return
        off?.()
      }
      off = this.onState(look)
      look()
    })
  }

  on(pattern: string, handler: EventHandler<never>): () => void {
    let listeners = this.#events.get(pattern)
    if (!listeners) this.#events.set(pattern, (listeners = new Listeners(this.#onThrow)))
    return listeners.add(handler as EventHandler)
  }

  subscribe(what: string | string[] | SubscribeOptions): Promise<Subscription> {
    if (this.#state === 'closed') return Promise.reject(this.#end ?? new HubError('UNAVAILABLE', 'The client is closed.'))
    return this.#feed.subscribe(typeof what === 'string' ? { topics: [what] } : Array.isArray(what) ? { topics: what } : what)
  }

  publish(type: string, data: unknown, options: PublishOptions = {}): Promise<PublishResult> {
    const { id = newId(), timestamp = Date.now(), ...rest } = options
    return this.#outbox.add({ id, type, timestamp, data, ...rest })
  }

  async signal(topic: string, name: string, data?: unknown): Promise<void> {
    try {
      const answer = await this.#link.request('signal', { topic, name, ...(data !== undefined && { data }) })
      if (!answer.ok) throw errorOf(answer.error)
    } catch (error) {
      throw error instanceof Dropped ? new HubError('UNAVAILABLE', 'There is no connection; signals are not kept.', undefined, { cause: error }) : error
    }
  }

  onSignal(handler: (signal: Signal) => void): () => void {
    return this.#signals.add(handler)
  }

  onState(handler: (state: ClientState, before: ClientState) => void): () => void {
    return this.#states.add(handler)
  }

  onGap(handler: (gap: Gap) => void): () => void {
    return this.#gaps.add(handler)
  }

  onError(handler: (error: HubError) => void): () => void {
    return this.#errors.add(handler)
  }

  close(): void {
    this.#close()
    this.#link.close()
  }

  // ---------------------------------------------------------------- what the link reports

  #opened(recovered: boolean): void {
    this.#go('opened')
    void this.#feed.opened(recovered)
    void this.#outbox.flush()
  }

  #dropped(): void {
    this.#feed.dropped()
    this.#go('dropped')
  }

  #troubled(error: HubError): void {
    // An attempt that failed; without one, nothing changes.
    if (!this.#link.isOpen) this.#go('dropped')
    this.#errors.tell(error)
  }

  #message(name: string, args: readonly unknown[]): void {
    const [first, cursor] = args
    if (name === 'hub.cursor') this.#feed.bookmark(first as Cursor)
    else if (name === 'gap') this.#feed.gap(first as Gap)
    else if (name === 'signal') this.#signals.tell(first as Signal)
    else if (args.length === 2 && isEvent(first) && parseCursor(cursor)) this.#feed.event(first, cursor as Cursor)
  }

  #hand(event: HubEvent, cursor: Cursor): void {
    for (const [pattern, listeners] of this.#events) if (typeMatches(pattern, event.type)) listeners.tell(event, { cursor })
  }

  #close(error?: HubError): void {
    if (this.#state === 'closed') return
    this.#end = error
    this.#feed.closed(error)
    this.#outbox.close(error)
    if (error) this.#errors.tell(error)
    this.#go('close')
  }

  #go(input: StateInput): void {
    const before = this.#state
    this.#state = nextState(before, input)
    if (this.#state !== before) this.#states.tell(this.#state, before)
  }

  #threw(error: unknown): void {
    if (this.#errors.size === 0) throwOutside(error)
    else this.#errors.tell(error instanceof HubError ? error : new HubError('INTERNAL_ERROR', `A handler threw: ${String(error)}`, undefined, { cause: error }))
  }
}

function isEvent(thing: unknown): thing is HubEvent {
  return typeof thing === 'object' && thing !== null && Array.isArray((thing as HubEvent).topics) && typeof (thing as HubEvent).type === 'string'
}

/** A UUID of version 4. Not `crypto.randomUUID`: browsers have it on secure pages only. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return Array.from(bytes, (byte, index) => ([4, 6, 8, 10].includes(index) ? '-' : '') + byte.toString(16).padStart(2, '0')).join('')
}
