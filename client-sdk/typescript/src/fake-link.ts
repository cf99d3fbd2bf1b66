/** A link without a wire: the client's side of the fake hub. */
import { matches, type Interest, type Answer, type Cursor, type HubEvent } from '@hubbub/protocol'
import { Dropped, type Link, type LinkEvents, type Requests } from './link.js'

export type Operation = keyof Requests
export type Payload = Requests[Operation][0]

/** What the link needs of its hub. */
export interface FakeHubSide {
  isUp(): boolean
  cursor(): Cursor
  answer(link: FakeLink, operation: Operation, payload: Payload): Answer<object>
}

/** Answers come a moment later, as they do over a wire; events come at once, for the tests' sake. */
export class FakeLink implements Link {
  isOpen = false
  readonly interests = new Map<string, Interest>()
  #isClosed = false
  #count = 0

  constructor(private readonly hub: FakeHubSide, readonly events: LinkEvents) {}

  get transport(): string | undefined {
    return this.isOpen ? 'websocket' : undefined
  }

  open(): void {
    queueMicrotask(() => this.reopen())
  }

  reopen(): void {
    if (this.isOpen || this.#isClosed || !this.hub.isUp()) return
    this.events.connecting()
    this.isOpen = true
    this.events.opened(false)
    this.#bookmark()
  }

  drop(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.interests.clear()
    this.events.dropped()
  }

  close(): void {
    this.#isClosed = true
    this.drop()
  }

  async request<K extends Operation>(operation: K, payload: Requests[K][0], heard?: (answer: Answer<Requests[K][1]>) => void): Promise<Answer<Requests[K][1]>> {
    await Promise.resolve()
    if (!this.isOpen) throw new Dropped()
    const answer = this.hub.answer(this, operation, payload) as Answer<Requests[K][1]>
    heard?.(answer)
    if (operation === 'subscribe' || operation === 'unsubscribe') queueMicrotask(() => this.#bookmark())
    return answer
  }

  hear(event: HubEvent, cursor: Cursor): void {
    if (!this.isOpen) return
    for (const interest of this.interests.values()) if (matches(interest, event)) return this.events.message(event.type, [event, cursor])
  }

  join(interest: Interest): string {
    const id = `fake-${++this.#count}`
    this.interests.set(id, interest)
    return id
  }

  leave(id: string | undefined): void {
    if (id === undefined) this.interests.clear()
    else this.interests.delete(id)
  }

  #bookmark(): void {
    if (this.isOpen) this.events.message('hub.cursor', [this.hub.cursor()])
  }
}
