/** What `useWebSocket` shows, and its subscriptions: all of them end with the component. */
import type { Client, ConnectOptions, Cursor, HubError, HubEvent, PublishResult, SubscribeOptions, Subscription } from '@hubbub/client'
import { canonicalType } from '@hubbub/protocol'
import { sharedLease, type Lease } from './lease.js'
import { messageOf, type OutgoingMessage, type WebSocketMessage } from './message.js'
import { Store } from './store.js'

/** Types by old names or by those of the catalogue. */
export type WebSocketInterest = Pick<SubscribeOptions, 'topics' | 'types' | 'filter' | 'since'>

export interface MessageView {
  readonly isConnected: boolean
  readonly lastMessage: WebSocketMessage | null
  readonly error: HubError | undefined
}

export interface MessageReader {
  onMessage?: (message: WebSocketMessage) => void
}

const FIRST: MessageView = { isConnected: false, lastMessage: null, error: undefined }
/** Places of events remembered: one that two subscriptions take is one message. */
const REMEMBERED = 2000

export class MessageStore extends Store<MessageView> {
  #lease: Lease | undefined
  #last: WebSocketMessage | null = null
  /** The connection's, until it is live again; a subscription's stays. */
  #trouble: HubError | undefined
  #refusal: HubError | undefined
  /** How to leave each subscription. */
  readonly #leaving = new Set<() => void>()
  readonly #seen = new Set<Cursor>()

  constructor(
    private readonly url: string,
    private readonly options: ConnectOptions,
    private readonly interest: WebSocketInterest | undefined,
    private readonly reader: { readonly current: MessageReader },
  ) {
    super(FIRST)
  }

  readonly send = ({ id, type, timestamp, data = {}, metadata }: OutgoingMessage): Promise<PublishResult> => {
    const { version, correlationId } = metadata ?? {}
    return this.#client().publish(type, data, { id, timestamp, metadata: { version, correlationId } })
  }

  /** Ends with the function that it answers, or with the component. What the hub refuses is shown as `error`. */
  readonly join = (what: string | string[] | WebSocketInterest, handler?: (message: WebSocketMessage) => void): (() => void) => {
    const interest = typeof what === 'string' ? { topics: [what] } : Array.isArray(what) ? { topics: what } : what
    const types = interest.types?.map((type) => canonicalType(type) ?? type)
    let subscription: Subscription | undefined
    const leave = (): void => {
      if (this.#leaving.delete(leave)) void subscription?.unsubscribe()
    }
    this.#leaving.add(leave)
    this.#client().subscribe({ ...interest, ...(types && { types }) }).then(
      (joined) => {
        subscription = joined
        if (!this.#leaving.has(leave)) return void joined.unsubscribe()
        joined.on((event, { cursor }) => this.#take(event, cursor, handler))
        joined.onEnd((error) => {
          if (error && this.#leaving.has(leave)) this.#refuse(error)
        })
      },
      (error: HubError) => {
        if (this.#leaving.has(leave)) this.#refuse(error)
      },
    )
    return leave
  }

  protected start(): () => void {
    const client = this.#client()
    const release = this.#lease!.hold()
    const offs = [
      client.onState((state) => {
        if (state === 'live') this.#trouble = undefined
        this.changed()
      }),
      client.onError((error) => {
        this.#trouble = error
        this.changed()
      }),
    ]
    if (this.interest) this.join(this.interest)
    return () => {
      for (const off of offs) off()
      for (const leave of [...this.#leaving]) leave()
      release()
      this.#lease = undefined
    }
  }

  protected view(): MessageView {
    const state = this.#lease?.present?.state
    return { isConnected: state === 'live' || state === 'catching-up', lastMessage: this.#last, error: this.#refusal ?? this.#trouble }
  }

  #client(): Client {
    return (this.#lease ??= sharedLease(addressOf(this.url), this.options)).client()
  }

  #take(event: HubEvent, cursor: Cursor, handler?: (message: WebSocketMessage) => void): void {
    const message = messageOf(event)
    handler?.(message)
    if (this.#seen.has(cursor)) return
    this.#seen.add(cursor)
    const [oldest] = this.#seen
    if (this.#seen.size > REMEMBERED) this.#seen.delete(oldest!)
    this.#last = message
    this.changed()
    this.reader.current.onMessage?.(message)
  }

  #refuse(error: HubError): void {
    this.#refusal = error
    this.changed()
  }
}

/** `ws://host:4000/ws`, `/ws` and `http://host:4000` all name the hub there: its own path is an option. Throws TypeError for what is no URL. */
function addressOf(url: string): string {
  const { protocol, host } = new URL(url, typeof location === 'undefined' ? undefined : location.href)
  return `${protocol.replace(/^ws/, 'http')}//${host}`
}
