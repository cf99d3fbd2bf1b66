/**
 * What one partition's source streams hold behind the positions, merged in the order of arrival, each stream's own order
 * kept. One read ahead runs while its predecessor is committed: whatever was read but not committed is only memory, and a
 * dropped buffer is read again from the committed positions (I3).
 */
import { setTimeout as pause } from 'node:timers/promises'
import { compareOffsets } from '@hubbub/protocol'
import { SOURCES, type Positions, type SourceEntry, type SourceReader } from '../store/port.js'

export interface ArrivalOptions {
  /** Most entries of a stream that one read asks for. */
  count: number
  blockMs: number
  onError: (error: unknown) => void
}

interface Lane {
  entries: SourceEntry[]
  /** Index of the first entry that was not taken. */
  head: number
  /** The last read of this stream was full: an entry behind its end may be older than another stream's first. */
  partial: boolean
}

/** A read of larger entries asks for fewer next time, down to this many: memory is bound by bytes, too. */
const LEAST_COUNT = 16
const READ_BYTES = 4 * 1024 * 1024
const RETRY_MS = 200

export class Arrivals {
  private readonly lanes: readonly Lane[] = SOURCES.map(() => ({ entries: [], head: 0, partial: false }))
  private readonly read: Positions
  private readonly closing = new AbortController()
  private reading: Promise<void> | undefined
  private closed: Promise<void> | undefined
  private count: number

  constructor(
    private readonly reader: SourceReader,
    from: Positions,
    private readonly options: ArrivalOptions,
  ) {
    this.read = { ...from }
    this.count = options.count
  }

  /** The oldest entries, at least one if there is any, else none: then `more()`. */
  take(maxEntries: number, maxBytes: number): SourceEntry[] {
    const taken: SourceEntry[] = []
    for (let bytes = 0; taken.length < maxEntries; ) {
      const lane = this.oldest()
      if (!lane) break
      const entry = lane.entries[lane.head]!
      bytes += entryBytes(entry)
      if (bytes > maxBytes && taken.length > 0) break
      lane.head++
      taken.push(entry)
    }
    return taken
  }

  /** Starts the next read when less than a read's worth can be taken. Does not wait. */
  ahead(): void {
    if (this.reading || this.closing.signal.aborted) return
    if (this.oldest() && this.lanes.reduce((sum, lane) => sum + waiting(lane), 0) >= this.options.count) return
    this.reading = this.fill().finally(() => {
      this.reading = undefined
    })
  }

  /** Resolves when a read has ended, with or without entries. Never rejects. */
  async more(): Promise<void> {
    this.ahead()
    await this.reading
  }

  /** Ends a read that waits. May be called again. */
  close(): Promise<void> {
    this.closing.abort()
    this.closed ??= this.reader.close().catch(() => {})
    return this.closed.then(() => this.reading)
  }

  private async fill(): Promise<void> {
    try {
      this.receive(await this.reader.read(this.read, this.count, this.options.blockMs))
    } catch (error) {
      if (this.closing.signal.aborted) return
      this.options.onError(error)
      await pause(RETRY_MS, undefined, { signal: this.closing.signal }).catch(() => {})
    }
  }

  private receive(entries: readonly SourceEntry[]): void {
    for (const lane of this.lanes) {
      if (lane.head > 0) lane.entries = lane.entries.slice(lane.head)
      lane.head = 0
      lane.partial = false
    }
    const counts = this.lanes.map(() => 0)
    let bytes = 0
    for (const entry of entries) {
      const place = SOURCES.indexOf(entry.stream)
      const lane = this.lanes[place]!
      bytes += entryBytes(entry)
      // A young stream's entries wait for an old stream's backlog; those that find no room are read again in their time.
      const full = lane.entries.length >= 2 * this.options.count
      lane.partial = full || ++counts[place]! >= this.count
      if (full) continue
      lane.entries.push(entry)
      this.read[entry.stream] = entry.id
    }
    if (bytes > READ_BYTES) this.count = Math.max(Math.min(LEAST_COUNT, this.options.count), this.count >> 1)
    else if (bytes < READ_BYTES / 4) this.count = Math.min(this.options.count, this.count * 2)
  }

  private oldest(): Lane | undefined {
    let found: Lane | undefined
    for (const lane of this.lanes) {
      if (lane.head >= lane.entries.length) {
        if (lane.partial) return undefined
        continue
      }
      if (!found || compareOffsets(lane.entries[lane.head]!.id, found.entries[found.head]!.id) < 0) found = lane
    }
    return found
  }
}

function waiting(lane: Lane): number {
  return lane.entries.length - lane.head
}

/** Of the fields as they stand; the envelope adds some 300 bytes, which the batch's limit leaves out. */
function entryBytes(entry: SourceEntry): number {
  let bytes = 0
  for (const name in entry.fields) bytes += Buffer.byteLength(entry.fields[name]!)
  return bytes
}
