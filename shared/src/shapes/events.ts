/** The envelope and what surrounds events in answers, as schemas. */
import { Type } from 'typebox'
import { MAX_TOPICS_OF_EVENT } from '../normalise.js'
import { Anything, ID_PATTERN, maybe, Text } from '../catalogue/scalars.js'
import type { CloudEvent } from '../cloudevents.js'
import type { EventInput, EventMetadata, HubEvent } from '../envelope.js'
import { FAILURES, type Failure } from '../failures.js'
import type { Draining } from '../draining.js'
import type { Gap, PlacedEvent, Signal } from '../messages.js'
import { about, named, shape } from './shape.js'

const Millis = Type.Integer({ description: 'ms since the epoch' })
const Milliseconds = Type.Integer({ minimum: 0, description: 'ms from now' })
const Rfc3339 = Type.String({ format: 'date-time' })
const Topics = Type.Array(Type.String(), { description: '`family:id`, `system`, `project`' })
const context = { subject: maybe(Text), correlationId: maybe(Text), causationId: maybe(Text), traceparent: maybe(Text), tracestate: maybe(Text) }

export const EVENT_SHAPES = {
  Cursor: Type.String({ description: 'A place in the project\'s journal. Opaque: send it back unchanged.', examples: ['4kQ0.1763700000000-0'] }),
  Since: about(Type.Union([Type.String(), Type.Object({ last: Type.Integer({ minimum: 0 }) })]), 'A cursor, a duration (`10m`; s, m, h, d), `all`, or the last N events.'),
  HubEvent: shape<HubEvent>({
    id: about(Text, 'The producer\'s idempotency key, 1 to 128 characters.'), type: about(Text, 'Canonical type; `data` is then of the schema `data.TYPE`.'), timestamp: about(Millis, 'The producer\'s clock, ms since the epoch.'),
    project: Text, topics: Topics, data: Anything,
    metadata: shape<EventMetadata>({ version: Text, source: about(Text, 'URI reference of the authenticated producer.'), recordedAt: about(Millis, 'The hub\'s clock, ms since the epoch.'), ...context }),
  }, 'An event as it stands in the journal.'),
  EventInput: shape<EventInput>({
    id: maybe(Type.String({ minLength: 1, maxLength: 128, description: 'Repeat it, and the event stands once. A UUID where it is left out.' })),
    type: about(Text, 'A type of the catalogue, an alias of it, or `custom.NAME`; `data` is of the schema `data.TYPE`.'),
    timestamp: maybe(Type.Union([Type.Number(), Type.String()], { description: 'ms, seconds (below 1e11) or ISO 8601; the hub\'s clock where it is left out.' })),
    project: maybe(about(Text, 'The producer\'s own, if at all.')), topics: maybe(Type.Array(Type.String(), { maxItems: MAX_TOPICS_OF_EVENT, description: 'Besides those that type and data give.' })), data: Anything,
    metadata: maybe(shape<NonNullable<EventInput['metadata']>>({ version: maybe(Text), ...context, runId: maybe(Text), threadId: maybe(Text) })),
  }, 'An event as a producer hands it in.'),
  CloudEvent: shape<CloudEvent>({
    specversion: Type.Literal('1.0'), id: Text, type: Text, source: Text, time: Rfc3339, subject: maybe(Text), datacontenttype: Type.Literal('application/json'), data: Anything,
    project: Text, topics: maybe(about(Text, 'Separated by one space.')), schemaversion: Text, recordedat: Rfc3339,
    correlationid: maybe(Text), causationid: maybe(Text), traceparent: maybe(Text), tracestate: maybe(Text),
  }, 'An event as a CloudEvent 1.0 in JSON.'),
  CloudEventInput: about(Type.Object({
    specversion: Type.Literal('1.0'), id: Type.String({ minLength: 1, maxLength: 128 }), type: Text, source: about(Text, 'Required by CloudEvents; the hub puts the authenticated producer in its place.'), time: maybe(Rfc3339), data: maybe(Anything),
    subject: maybe(Text), datacontenttype: maybe(Text), project: maybe(Text), topics: maybe(Text), schemaversion: maybe(Text), correlationid: maybe(Text), causationid: maybe(Text), traceparent: maybe(Text), tracestate: maybe(Text),
  }), 'A CloudEvent 1.0 of a producer. `data_base64` is refused.'),
  PlacedEvent: shape<PlacedEvent>({ event: named('HubEvent'), cursor: named('Cursor') }, 'An event with the cursor just behind it.'),
  Draining: shape<Draining>({ reconnectInMs: Milliseconds, deadlineMs: Milliseconds }, 'The worker stops: when to connect again, and when the connection is closed.'),
  Gap: shape<Gap>({ from: named('Cursor'), to: named('Cursor'), reason: Type.Enum(['trimmed', 'epoch', 'session']) }, 'Events between two cursors that can no longer be had.'),
  Signal: shape<Signal>({ topic: Text, name: Text, data: Anything, source: Text, timestamp: Millis }, 'Told to whoever is there; neither stored nor replayed.'),
  Failure: shape<Failure>({
    code: Type.Enum(Object.keys(FAILURES)), message: Text, retryable: about(Type.Boolean(), 'Whether the same request may succeed later, unchanged.'), details: maybe(Type.Object({}, { description: 'Where and by how much; depends on the code.' })),
  }, 'Every failure, on every way.'),
  FailureAnswer: Type.Object({ ok: Type.Literal(false), error: named('Failure') }),
  Id: Type.String({ pattern: ID_PATTERN }),
}
