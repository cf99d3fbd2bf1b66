/** Events of one subscription as a component shows them. It is left while nobody looks, and goes on where it was. */
import { HubError, type ClientState, type Cursor, type Gap, type HubEvent, type SubscribeOptions, type Subscription } from '@hubbub/client'
import type { Lease } from './lease.js'
import { Store } from './store.js'

/** As `client.state`, of this subscription; `closed`: it ended, see `error`; `idle`: no topics were given. */
export type EventsStatus = ClientState | 'idle'

export interface EventsView<D = unknown> {
  /** The last ones, oldest first. */
  readonly events: readonly HubEvent<D>[]
  readonly last: HubEvent<D> | undefined
  /** Why no more come: `INSUFFICIENT_PERMISSIONS`, `INVALID_TOPIC`, ... */
  readonly error: HubError | undefined
  /** The last stretch of events that can no longer be had. */
  readonly gap: Gap | undefined
  readonly status: EventsStatus
}

/** Options that may change without a new subscription. */
export interface EventsReader {
  onEvent?: (event: HubEvent, cursor: Cursor) => void
  onGap?: (gap: Gap) => void
  /** Events kept for `events`. */
  limit: number
}

const NOTHING: EventsView = { events: [], last: undefined, error: undefined, gap: undefined, status: 'connecting' }
const IDLE: EventsView = { ...NOTHING, status: 'idle' }

export class EventStore extends Store<EventsView> {
  #events: readonly HubEvent[] = []
  #fresh: HubEvent[] = []
  #last: HubEvent | undefined
  #error: HubError | undefined
  #gap: Gap | undefined
  #cursor: Cursor | undefined
  #isLive = false
  #isOver = false

  constructor(private readonly lease: Lease, private readonly asked: SubscribeOptions, private readonly reader: { readonly current: EventsReader }) {
    super(asked.topics.length === 0 ? IDLE : NOTHING)
  }

  protected start(): () => void {
    if (this.asked.topics.length === 0) return () => undefined
    const release = this.lease.hold()
    const client = this.lease.client()
    this.#isLive = this.#isOver = false
    this.#error = undefined
    const off = client.onState(() => this.changed())
    let subscription: Subscription | undefined
    let isLeft = false
    // Behind what was shown before, if it was: asked for again, history would come twice.
    const since = this.#cursor ?? this.asked.since
    client.subscribe({ ...this.asked, ...(since !== undefined && { since }) }).then(
      (joined) => {
        subscription = joined
        if (isLeft) void joined.unsubscribe()
        else this.#read(joined)
      },
      (error: HubError) => {
        if (!isLeft) this.#end(error)
      },
    )
    return () => {
      isLeft = true
      off()
      void subscription?.unsubscribe()
      release()
    }
  }

  protected view(): EventsView {
    const { limit } = this.reader.current
    if (this.#fresh.length > 0) this.#events = lastOf([...this.#events, ...this.#fresh.splice(0)], limit)
    return { events: this.#events, last: this.#last, error: this.#error, gap: this.#gap, status: this.#status() }
  }

  #read(subscription: Subscription): void {
    subscription.onEnd((error) => {
      if (this.isRunning) this.#end(error ?? new HubError('UNAVAILABLE', 'The client was closed.'))
    })
    subscription.onGap((gap) => {
      this.#gap = gap
      this.#cursor = gap.to
      this.changed()
      this.reader.current.onGap?.(gap)
    })
    subscription.on((event, { cursor }) => this.#take(event, cursor))
    subscription.live().then(
      () => {
        this.#isLive = true
        this.#cursor ??= subscription.cursor
        this.changed()
      },
      () => undefined,
    )
  }

  #take(event: HubEvent, cursor: Cursor): void {
    const { limit, onEvent } = this.reader.current
    this.#cursor = cursor
    this.#last = event
    this.#fresh.push(event)
    // History may be far longer than what is kept, and come within one frame.
    if (this.#fresh.length > 2 * limit + 100) this.#fresh = lastOf(this.#fresh, limit)
    this.changed()
    onEvent?.(event, cursor)
  }

  #end(error: HubError): void {
    this.#isOver = true
    this.#error = error
    this.changed()
  }

  #status(): EventsStatus {
    if (this.asked.topics.length === 0) return 'idle'
    const state = this.lease.present?.state ?? 'connecting'
    if (this.#isOver) return 'closed'
    return state === 'live' && !this.#isLive ? 'catching-up' : state
  }
}

function lastOf<T>(list: T[], count: number): T[] {
  return count > 0 ? list.slice(-count) : []
}
