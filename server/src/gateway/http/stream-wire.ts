/**
 * Server-sent events on the wire: `id` is the cursor, `event` the type, `data` one line of JSON. What is not an event of the journal has
 * a name of its own, which no type can have: `hub.cursor`, `gap`, `events`, `hub.error`, `hub.draining`.
 */
import { toCloudEvent, type Cursor, type Draining, type Gap, type HubError } from '@hubbub/protocol'
import type { Chunk, Encoding, Frame, TailEntry } from '../../fanout/entry.js'
import type { Outlet } from '../../fanout/session.js'
import type { Metrics } from '../../observe/metrics.js'
import type { EventStream } from './streams.js'

export type StreamFormat = 'hubbub' | 'cloudevents'

/** ms until a client whose stream ended comes back, as `retry` tells it: spread out, for a stopping worker ends all of its streams at once. */
const RETRY = { least: 1000, spread: 2000 }

/** Committed JSON holds no line break: `JSON.stringify` escapes them. */
export function streamEncoding(format: StreamFormat, metrics: Pick<Metrics, 'encodes'>): Encoding {
  const json = format === 'cloudevents' ? (entry: TailEntry) => JSON.stringify(toCloudEvent(entry.event)) : (entry: TailEntry) => entry.json
  return {
    name: format === 'cloudevents' ? 'sse cloudevents' : 'sse',
    encode(entry) {
      metrics.encodes.inc()
      return framed(`id: ${entry.cursor}\nevent: ${entry.event.type}\ndata: ${json(entry)}\n\n`)
    },
    batch(entries) {
      metrics.encodes.inc(entries.length)
      const placed = entries.map((entry) => `{"event":${json(entry)},"cursor":"${entry.cursor}"}`)
      return framed(`id: ${entries[entries.length - 1]!.cursor}\nevent: events\ndata: [${placed.join(',')}]\n\n`)
    },
  }
}

export function framed(packet: string): Frame {
  return { packet, bytes: Buffer.from(packet) }
}

/** The first thing that a stream says: its client has its headers then, whatever stands between. @param ms until it comes back, should it end */
export function preface(ms = RETRY.least + Math.floor(Math.random() * RETRY.spread)): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`)
}

/** A while before the end: when it should come back. Its `retry` counts from the end. */
export function warning(notice: Draining): Buffer {
  return Buffer.from(`event: hub.draining\ndata: ${JSON.stringify(notice)}\n\n`)
}

export function complaint(failure: HubError): Buffer {
  return Buffer.from(`event: hub.error\ndata: ${JSON.stringify(failure.toJSON())}\n\n`)
}

/** A subscriber's way from the fan-out to its stream. */
export class StreamOutlet implements Outlet {
  constructor(readonly encoding: Encoding, private readonly stream: EventStream) {}

  write(chunk: Chunk): void {
    this.stream.write(chunk.buffer)
  }

  bookmark(cursor: Cursor): void {
    this.stream.write(Buffer.from(`id: ${cursor}\nevent: hub.cursor\ndata: "${cursor}"\n\n`))
  }

  /** Its id is where reading goes on: whoever comes back with it is not told the same gap again. */
  gap(gap: Gap): void {
    this.stream.write(Buffer.from(`id: ${gap.to}\nevent: gap\ndata: ${JSON.stringify(gap)}\n\n`))
  }

  waiting(): { bytes: number; packets: number } {
    return { bytes: this.stream.waiting(), packets: 0 }
  }

  drained(): Promise<void> {
    return this.stream.drained()
  }
}
