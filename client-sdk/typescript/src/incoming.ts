/** What the hub sends, each to whom it concerns. What a stranger on the other side sends is not trusted to be of the form. */
import { parseCursor, type CommandAnswer, type CommandCall, type Cursor, type Gap, type HubError, type HubEvent, type PlacedEvent, type Signal } from '@hubbub/protocol'
import { isCompressed, unpacked } from './compressed.js'
import { isCall, isEvent, isGap, isSignal } from './forms.js'

export interface IncomingDeps {
  feed: { event(event: HubEvent, cursor: Cursor): void; bookmark(cursor: Cursor): void; gap(gap: Gap): void }
  mail: { heard(event: HubEvent): void }
  signal: (signal: Signal) => void
  carryOut: (call: CommandCall, reply: (answer: CommandAnswer) => void) => void
  trouble(error: HubError): void
}

export class Incoming {
  constructor(private readonly deps: IncomingDeps) {}

  message(name: string, args: readonly unknown[]): void {
    const { feed, signal, carryOut } = this.deps
    const [first, second] = args
    if (name === 'hub.cursor') feed.bookmark(first as Cursor)
    else if (name === 'gap') {
      if (isGap(first)) feed.gap(first)
    }
    else if (name === 'events') this.#batch(first, second)
    else if (name === 'signal') {
      if (isSignal(first)) signal(first)
    }
    else if (name === 'command' && isCall(first) && typeof second === 'function') carryOut(first, second as (answer: CommandAnswer) => void)
    else if (args.length === 2) this.#event(first, second)
  }

  /** Gathered by the hub: exactly as if they had come one by one. */
  #batch(events: unknown, cursor: unknown): void {
    if (!Array.isArray(events)) return
    for (const placed of events as (Partial<PlacedEvent> | null)[]) this.#event(placed?.event, placed?.cursor)
    this.deps.feed.bookmark(cursor as Cursor)
  }

  #event(given: unknown, cursor: unknown): void {
    if (!isEvent(given) || !parseCursor(cursor)) return
    const event = this.#unpacked(given)
    // It has come all the same: nothing before it is missing.
    if (!event) return this.deps.feed.bookmark(cursor as Cursor)
    this.deps.mail.heard(event)
    this.deps.feed.event(event, cursor as Cursor)
  }

  #unpacked(event: HubEvent): HubEvent | undefined {
    if (!isCompressed(event)) return event
    try {
      return unpacked(event)
    } catch (error) {
      this.deps.trouble(error as HubError)
      return undefined
    }
  }
}
