/** A link without a wire: the client's side of the fake hub. */
import { matches, type Answer, type CommandAnswer, type CommandCall, type Cursor, type HubEvent, type Interest } from '@hubbub/protocol'
import { Dropped, type Asking, type Link, type LinkEvents, type Requests, type Transport } from './link.js'

export type Operation = keyof Requests
export type Payload = Requests[Operation][0]

/** What the link needs of its hub. */
export interface FakeHubSide {
  isUp(): boolean
  cursor(): Cursor
  /** A promise only of what takes somebody else's time. */
  answer(link: FakeLink, operation: Operation, payload: Payload): Answer<object> | Promise<Answer<object>>
}

/** Answers come a moment later, as they do over a wire; events come at once, for the tests' sake. */
export class FakeLink implements Link {
  isOpen = false
  readonly interests = new Map<string, Interest>()
  /** The agent that was registered on this connection: its mail comes without a subscription. */
  agentId: string | undefined
  handled: readonly string[] = []
  readonly #asked = new Set<(error: Dropped) => void>()
  #isClosed = false
  #count = 0

  constructor(private readonly hub: FakeHubSide, readonly events: LinkEvents) {}

  get transport(): Transport | undefined {
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
    this.agentId = undefined
    this.handled = []
    for (const drop of this.#asked) drop(new Dropped())
    this.#asked.clear()
    this.events.dropped()
  }

  close(): void {
    this.#isClosed = true
    this.drop()
  }

  async request<K extends Operation>(operation: K, payload: Requests[K][0], { heard }: Asking<K> = {}): Promise<Answer<Requests[K][1]>> {
    await Promise.resolve()
    if (!this.isOpen) throw new Dropped()
    const given = this.hub.answer(this, operation, payload)
    const answer = (given instanceof Promise ? await this.#unlessDropped(given) : given) as Answer<Requests[K][1]>
    heard?.(answer)
    if (operation === 'subscribe' || operation === 'unsubscribe') queueMicrotask(() => this.#bookmark())
    return answer
  }

  /** Has this client carry out a command. Rejects with `Dropped` when its connection ends before. */
  ask(call: CommandCall): Promise<CommandAnswer> {
    return this.#unlessDropped(new Promise<CommandAnswer>((resolve) => this.events.message('command', [call, resolve])))
  }

  hear(event: HubEvent, cursor: Cursor): void {
    if (!this.isOpen) return
    const isMail = this.agentId !== undefined && event.topics.includes(`inbox:${this.agentId}`)
    if (isMail || [...this.interests.values()].some((interest) => matches(interest, event))) this.events.message(event.type, [event, cursor])
  }

  #unlessDropped<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#asked.add(reject)
      void answer.then(resolve).finally(() => this.#asked.delete(reject))
    })
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
