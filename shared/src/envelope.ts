/**
 * The envelope: one shape for every event, on every way in and out.
 * Source of truth for names: `vocabulary.json`.
 */

/** An event as it stands in the journal and as every subscriber receives it. */
export interface HubEvent<D = unknown> {
  /** Producer's idempotency key, 1 to 128 characters; the hub fills in a UUID. */
  id: string
  /** Canonical type, dotted lower snake: `task.progress`. */
  type: string
  /** Producer's clock, integer milliseconds since the epoch. */
  timestamp: number
  /** Unit of isolation, order and sharding. */
  project: string
  /** Set by the hub from type and data, plus what the producer asked for, 1 to 16; and those of the entities that the event changes. */
  topics: string[]
  data: D
  metadata: EventMetadata
}

export interface EventMetadata {
  /** Version of the event's schema, default `1.0`. */
  version: string
  /** URI reference of the authenticated producer, `/agents/coder-1`; never taken from the payload. */
  source: string
  /** When the hub received the event, integer milliseconds. */
  recordedAt: number
  subject?: string
  correlationId?: string
  causationId?: string
  traceparent?: string
  tracestate?: string
}

/** What a producer hands in. Everything else of the envelope is the hub's to fill. */
export interface EventInput<D = unknown> {
  id?: string
  type: string
  /** Milliseconds, seconds (below 1e11) or ISO 8601; missing: the hub's clock. */
  timestamp?: number | string
  /** Must be the producer's own project when given. */
  project?: string
  /** Topics besides those that type and data give. */
  topics?: string[]
  data: D
  metadata?: Partial<Pick<EventMetadata, 'version' | 'subject' | 'correlationId' | 'causationId' | 'traceparent' | 'tracestate'>> & { runId?: string; threadId?: string }
}

/**
 * An input after aliases, field names, timestamp and schema were settled (`normalise`): canonical and valid,
 * but not yet anybody's: identity, project and routed topics are added on the path.
 */
export interface NormalEvent {
  /** Absent when the producer gave none. */
  id?: string
  type: string
  /** Absent when the producer gave none; integer milliseconds otherwise. */
  timestamp?: number
  project?: string
  /** Only the producer's own, validated; see `routeTopics` for the rest. */
  topics: string[]
  data: unknown
  metadata: Partial<Omit<EventMetadata, 'source' | 'recordedAt'>>
}
