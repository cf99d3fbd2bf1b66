/**
 * The operations' messages as TypeScript sees them; `messages.schema.ts` validates the same shapes.
 * Every message is answered once: `{ ok: true, ... }` or `{ ok: false, error }`.
 */
import type { Cursor, Offset } from './cursor.js'
import type { EventInput, HubEvent } from './envelope.js'
import type { Failure } from './failures.js'

/** Names of the messages that a client sends; any other name is taken for an event's type, and publishes it. */
export const CLIENT_MESSAGES = ['subscribe', 'unsubscribe', 'publish', 'signal', 'auth.refresh'] as const
/** Names of the messages that the hub sends, besides the types of events. */
export const HUB_MESSAGES = ['hub.cursor', 'gap', 'signal', 'hub.error'] as const

export type ClientMessage = (typeof CLIENT_MESSAGES)[number]

export type Answer<T extends object> = ({ ok: true } & T) | { ok: false; error: Failure }

/** A cursor, a duration such as `10m` (units s, m, h, d), the last N events, or everything that is kept. */
export type Since = Cursor | `${number}${'s' | 'm' | 'h' | 'd'}` | 'all' | { last: number }

/**
 * Equality on fields, all of them must hold. A key without a dot is looked up in `data` (`stage`, `agentType`,
 * `status`); `data.a.b` goes deeper; an array in the event contains (`capability` reads `data.capabilities`).
 */
export type Filter = Record<string, string | number | boolean | null>

export interface SubscribeRequest {
  topics: string[]
  types?: string[]
  filter?: Filter
  since?: Since
}

/** An event in an answer, with the cursor just behind it. */
export interface PlacedEvent {
  event: HubEvent
  cursor: Cursor
}

/** Events that can no longer be had (I2). `from` is absent when the cursor was of an unknown epoch. */
export interface Gap {
  from: Cursor
  to: Cursor
  reason: 'trimmed' | 'epoch' | 'session'
}

export interface SubscribeResult {
  /** Absent while `more`: the subscription is not live yet. */
  subscriptionId?: string
  topics: string[]
  activeSubscriptions: number
  /** Where the answer stands: ask again from here while `more`. */
  cursor: Cursor
  /** Present when `since` was asked for. Up to 1,000 events or 1 MB. */
  events?: PlacedEvent[]
  more?: boolean
  gap?: Gap
}

/** `{}` drops everything; otherwise by id, or by exact topics. */
export interface UnsubscribeRequest {
  subscriptionId?: string
  topics?: string[]
}

export interface UnsubscribeResult {
  activeSubscriptions: number
}

export type PublishRequest = EventInput & { ack?: 'committed' | 'accepted' }

export interface PublishResult {
  id: string
  /** Canonical type under which the event stands. */
  type: string
  /** Present when the commit was awaited (I4). */
  offset?: Offset
  /** The event stood in the journal already, under this id of this producer. */
  duplicate?: boolean
}

/** To whoever is connected to the topic now; neither stored nor replayed. */
export interface SignalRequest {
  topic: string
  name: string
  data?: unknown
}

export interface Signal extends Required<SignalRequest> {
  /** Source URI of the sender, as in an event's metadata. */
  source: string
  timestamp: number
}

export interface HistoryRequest {
  topics: string[]
  types?: string[]
  filter?: Filter
  since?: Since
  /** 1 to 1,000, default 100. */
  limit?: number
  /** Seconds to wait for the first event when there is none, 0 to 60. */
  wait?: number
}

export interface HistoryResult {
  events: PlacedEvent[]
  cursor: Cursor
  more: boolean
  gap?: Gap
}
