/** One event, or one gap, as a sink's receiver gets it: body and headers. A retried message has the same id and the same bytes. */
import { parseCursor, toCloudEvent, type Cursor, type Gap, type HubEvent } from '@hubbub/protocol'
import type { TailEntry } from '../../fanout/entry.js'
import type { SinkRecord } from '../../store/port.js'
import { VERSION } from '../../version.js'
import { chatLine } from './chat.js'
import { signatureOf } from './signature.js'

/** What is to be delivered. */
export interface Parcel {
  /** Idempotency key. */
  id: string
  /** `Hubbub-Event-Type`: the event's, or `gap`. */
  type: string
  /** The receiver holds everything up to here when it took the parcel. */
  cursor: Cursor
  event: HubEvent
  /** As committed; absent: the hub made it up for this receiver. */
  json?: string
}

export function parcelOfEntry({ event, cursor, json }: TailEntry): Parcel {
  return { id: event.id, type: event.type, cursor, event, json }
}

/** Told in the form of an event, so that a receiver needs one parser; it stands in no journal. Its id is that of its place: repeated, it is known. */
export function parcelOfGap(gap: Gap, { project, id }: Pick<SinkRecord, 'project' | 'id'>): Parcel {
  const at = Number(parseCursor(gap.to)!.offset.split('-')[0]) || Date.now()
  const event: HubEvent = {
    id: `gap:${gap.from}:${gap.to}`, type: 'hub.gap', timestamp: at, project, topics: ['project'], data: { ...gap, sinkId: id },
    metadata: { version: '1.0', source: '/hub', recordedAt: at },
  }
  return { id: event.id, type: 'gap', cursor: gap.to, event }
}

/** Bytes of the body. */
export function bodyOf({ event, json }: Parcel, { format, template }: Pick<SinkRecord, 'format' | 'template'>): Buffer {
  switch (format) {
    case 'hubbub':
      return Buffer.from(json ?? JSON.stringify(event))
    case 'cloudevents':
      return Buffer.from(JSON.stringify(toCloudEvent(event)))
    case 'slack':
      // Without `mrkdwn` an asterisk in an event's text stays one; links keep working.
      return Buffer.from(JSON.stringify({ text: chatLine(event, 'slack', template), mrkdwn: false, unfurl_links: false }))
    case 'discord':
      return Buffer.from(JSON.stringify({ content: chatLine(event, 'discord', template), allowed_mentions: { parse: [] } }))
  }
}

/** @param attempt from 1 */
export function headersOf(parcel: Parcel, sink: SinkRecord, body: Buffer, attempt: number, now = Date.now()): Record<string, string> {
  const seconds = Math.floor(now / 1000)
  const id = headerText(parcel.id)
  return {
    'user-agent': `Hubbub/${VERSION}`,
    ...sink.headers,
    'content-type': sink.format === 'cloudevents' ? 'application/cloudevents+json; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': String(body.length),
    'idempotency-key': id,
    'hubbub-event-id': id,
    'hubbub-event-type': parcel.type,
    'hubbub-sink-id': sink.id,
    'hubbub-cursor': parcel.cursor,
    'hubbub-attempt': String(attempt),
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatureOf(sink.secret, id, seconds, body),
  }
}

/** An event's id may be any text; in a header, what is not visible ASCII (and the per cent sign) stands as %XX of its UTF-8. */
function headerText(id: string): string {
  return id.replaceAll(/[^!-$&-~]/gu, (sign) => [...Buffer.from(sign)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''))
}
