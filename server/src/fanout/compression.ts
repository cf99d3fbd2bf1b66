/**
 * Large events, compressed once an event and worker, whatever encodings and however many sockets they go to. Not by the WebSocket's own
 * deflate: that costs each connection a window of memory, and each socket a compression of its own.
 */
import { gzipSync } from 'node:zlib'
import type { Metrics } from '../observe/metrics.js'
import type { TailEntry } from './entry.js'

/** The fastest: it runs between two bursts. */
const LEVEL = 1

export class Compression {
  private readonly made = new WeakMap<TailEntry, string>()

  /** @param leastBytes events up to this size stay as they are */
  constructor(private readonly leastBytes: number, private readonly metrics: Pick<Metrics, 'compressions'>) {}

  /** The event's JSON with `data` as base64 of the gzip of its JSON and `metadata.compressed`; undefined when that would gain nothing. */
  jsonOf(entry: TailEntry): string | undefined {
    if (entry.size <= this.leastBytes) return undefined
    let json = this.made.get(entry)
    if (json === undefined) {
      json = this.compress(entry)
      this.made.set(entry, json)
    }
    return json === '' ? undefined : json
  }

  private compress(entry: TailEntry): string {
    this.metrics.compressions.inc()
    const { event } = entry
    const data = gzipSync(JSON.stringify(event.data), { level: LEVEL }).toString('base64')
    const json = JSON.stringify({ ...event, data, metadata: { ...event.metadata, compressed: true } })
    return json.length < entry.json.length ? json : ''
  }
}
