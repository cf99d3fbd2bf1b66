/**
 * What is remembered of one session, so that it can be derived afterwards what became of any event for it. Delivery is determined: a live
 * session was given every event that its subscriptions took, one that was behind read it from the journal. So nothing is noted of an
 * event; noted is when subscriptions began and ended, when the session fell behind and was live again, and what gaps it was told.
 *
 * Bounded: of what is over only the last of each kind is kept, and up to where something was dropped is `forgotten`: nobody guesses.
 */
import { isAfter, laterOf, ORIGIN, type Gap, type Interest, type Offset } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import type { Subscription } from './subscription.js'

/** How a session is connected. */
export type Wire = 'socketio' | 'websocket' | 'sse' | 'http' | 'sink' | 'process'

export interface Who {
  /** Stays the same when a client comes back, on wires that can tell. */
  session: string
  /** Of this one connection, where it has an id of its own. */
  connection?: string
  wire: Wire
  identity?: Identity
}

/** A subscription's life. It counts for events behind `from`, up to `until`. */
export interface Span {
  subscription: Subscription
  from: Offset
  until?: Offset
  /** ms since the epoch: when it began here, and when it ended. */
  at: number
  endedAt?: number
  because?: 'unsubscribed' | 'permission'
}

/** From where to where it read the journal instead of being live; open while it does. */
export interface Episode {
  cause: 'resume' | 'slow' | 'jump'
  from: Offset
  until?: Offset
  at: number
  endedAt?: number
}

export interface Told {
  from: Offset
  to: Offset
  reason: Gap['reason']
  at: number
}

/** Of the past, in the answer to a subscribe. */
export interface Answered {
  interest: Interest
  /** Absent: a page of several, without a subscription yet. */
  subscriptionId?: string
  after: Offset
  upTo: Offset
  at: number
}

/** What of a session's place is needed here. */
export interface Placed {
  /** Everything up to here was given to its connection. */
  readonly given: Offset
  /** And its receiver said that it has it; undefined where receivers do not say. */
  readonly confirmed: Offset | undefined
}

/** Of whom nothing else is known: tests, and programs that open sessions themselves. */
export const NOBODY: Who = { session: 'unnamed', wire: 'process' }

export class Chronicle {
  readonly beganAt = Date.now()
  readonly spans: Span[] = []
  readonly episodes: Episode[] = []
  readonly gaps: Told[] = []
  readonly answers: Answered[] = []
  ended?: { offset: Offset; at: number }
  /** At or before it something is not known any more. */
  forgotten: Offset = ORIGIN
  identity?: Identity
  private placed?: Placed

  /**
   * @param began what stands at or before it was not given here: it came before, or its client said that it holds it
   * @param most kept of each kind of what is over
   */
  constructor(readonly who: Who, readonly project: string, readonly encoding: string, session: Placed, public began: Offset, private readonly most: number) {
    this.placed = session
    this.identity = who.identity
  }

  /** Everything up to here was given, and confirmed where receivers confirm. */
  get reached(): Offset {
    if (!this.placed) return this.ended?.offset ?? this.began
    const { confirmed } = this.placed
    return confirmed !== undefined && isAfter(this.place, confirmed) ? confirmed : this.place
  }

  private get place(): Offset {
    return this.placed?.given ?? this.began
  }

  answersTo(session: string): boolean {
    return this.who.session === session || this.who.connection === session
  }

  subscribed(subscription: Subscription): void {
    this.spans.push({ subscription, from: subscription.from, at: Date.now() })
  }

  unsubscribed({ id }: Subscription, because: Span['because']): void {
    const span = this.spans.find(({ subscription, until }) => subscription.id === id && until === undefined)
    if (!span) return
    span.until = this.place
    span.endedAt = Date.now()
    span.because = because
    this.shorten(this.spans, ({ until }) => until)
  }

  /** Its subscriptions count from an offset of the branch that is left: what follows was read for all of them. */
  rebased(after: Offset): void {
    const earlier = (offset: Offset): Offset => (isAfter(offset, after) ? after : offset)
    this.began = earlier(this.began)
    for (const span of this.spans) {
      span.from = earlier(span.from)
      if (span.until !== undefined) span.until = earlier(span.until)
    }
    for (const episode of this.episodes) {
      episode.from = earlier(episode.from)
      if (episode.until !== undefined) episode.until = earlier(episode.until)
    }
  }

  fellBehind(cause: string): void {
    this.episodes.push({ cause: cause === 'slow' || cause === 'jump' ? cause : 'resume', from: this.place, at: Date.now() })
  }

  isLive(): void {
    const last = this.episodes.at(-1)
    if (!last || last.until !== undefined) return
    last.until = this.place
    last.endedAt = Date.now()
    this.shorten(this.episodes, ({ until }) => until)
  }

  told({ from, to, reason }: Gap): void {
    this.gaps.push({ from: offsetOf(from), to: offsetOf(to), reason, at: Date.now() })
    this.shorten(this.gaps, (gap) => gap.to)
  }

  answered(interest: Interest, after: Offset, upTo: Offset, subscriptionId?: string): void {
    this.answers.push({ interest, after, upTo, at: Date.now(), ...(subscriptionId !== undefined && { subscriptionId }) })
    this.shorten(this.answers, (answer) => answer.upTo)
  }

  /** The session itself need not be held any longer. */
  end(): void {
    this.ended = { offset: this.reached, at: Date.now() }
    this.placed = undefined
  }

  /** @param endOf undefined of what is not over: that stays */
  private shorten<T>(list: T[], endOf: (item: T) => Offset | undefined): void {
    if (list.filter((item) => endOf(item) !== undefined).length <= this.most) return
    const [oldest] = list.splice(list.findIndex((item) => endOf(item) !== undefined), 1)
    this.forgotten = laterOf(this.forgotten, endOf(oldest!)!)
  }
}

function offsetOf(cursor: string): Offset {
  return cursor.slice(cursor.indexOf('.') + 1)
}
