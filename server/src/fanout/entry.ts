import { formatCursor, type Cursor, type HubEvent, type Interest, type Offset } from '@hubbub/protocol'
import type { JournalEntry } from '../store/port.js'

/** A journal entry as a worker holds it: parsed once, encoded at most once for each encoding. */
export class TailEntry {
  readonly offset: Offset
  readonly cursor: Cursor
  readonly epoch: string
  readonly event: HubEvent
  /** Bytes of `json`, near enough to bound memory: characters beyond ASCII count once. */
  readonly size: number
  private readonly frames = new Map<string, Frame>()

  constructor(entry: JournalEntry) {
    this.offset = entry.offset
    this.epoch = entry.epoch
    this.cursor = formatCursor(entry.epoch, entry.offset)
    this.event = JSON.parse(entry.event) as HubEvent
    this.json = entry.event
    this.size = entry.event.length
  }

  /** As committed, byte for byte: encodings embed it instead of serialising the event again. */
  readonly json: string

  /** @param interests of the audience; they matter to encodings with variants only */
  frame(encoding: Encoding, interests: readonly Interest[] = []): Frame {
    const variant = encoding.variant?.(this, interests)
    const key = variant === undefined ? encoding.name : `${encoding.name} ${variant}`
    let frame = this.frames.get(key)
    if (!frame) {
      frame = encoding.encode(this, variant)
      this.frames.set(key, frame)
    }
    return frame
  }
}

/** One event in one gateway's wire format. */
export interface Frame {
  /** What the gateway hands to its transport when it cannot write the bytes itself. */
  readonly packet: string
  /** The complete frame as it stands on the wire of an open WebSocket. */
  readonly bytes: Buffer
}

/** A gateway's wire format; `name` is part of the audience's identity. */
export interface Encoding {
  readonly name: string
  /** For wires that say of an event what it was asked for by: the form that subscribers of these interests get. */
  variant?(entry: TailEntry, interests: readonly Interest[]): string
  encode(entry: TailEntry, variant?: string): Frame
  /** Several events in one frame, for subscriptions that asked for batches. Absent: they come one by one. */
  batch?(entries: readonly TailEntry[], interests: readonly Interest[]): Frame
}

/** Frames that go to a socket together, at most `CHUNK_BYTES` unless a single one is larger. */
export class Chunk {
  private joined?: Buffer

  constructor(readonly entries: readonly TailEntry[], readonly frames: readonly Frame[], readonly bytes: number) {}

  /** All frames in one buffer, joined once however many sockets share it. */
  get buffer(): Buffer {
    this.joined ??= this.frames.length === 1 ? this.frames[0]!.bytes : Buffer.concat(this.frames.map((frame) => frame.bytes), this.bytes)
    return this.joined
  }

  get last(): TailEntry {
    return this.entries[this.entries.length - 1]!
  }
}

export const CHUNK_BYTES = 256 * 1024

export function chunksOf(entries: readonly TailEntry[], encoding: Encoding, interests: readonly Interest[] = []): Chunk[] {
  const chunks: Chunk[] = []
  let taken: TailEntry[] = []
  let frames: Frame[] = []
  let bytes = 0
  for (const entry of entries) {
    const frame = entry.frame(encoding, interests)
    if (bytes > 0 && bytes + frame.bytes.length > CHUNK_BYTES) {
      chunks.push(new Chunk(taken, frames, bytes))
      taken = []
      frames = []
      bytes = 0
    }
    taken.push(entry)
    frames.push(frame)
    bytes += frame.bytes.length
  }
  if (taken.length > 0) chunks.push(new Chunk(taken, frames, bytes))
  return chunks
}
