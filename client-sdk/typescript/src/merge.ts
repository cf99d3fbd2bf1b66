/**
 * One journal order out of several sources (I1, I2): the live stream of the connection, and each subscription that still
 * reads what it missed, page by page. An event is handed on when every source has come as far; one that two sources
 * bring is handed on once.
 */
import { compareOffsets, isAfter, ORIGIN, parseCursor, type Cursor, type HubEvent, type Offset } from '@hubbub/protocol'

interface Held {
  offset: Offset
  cursor: Cursor
  event: HubEvent
}

export class Merge {
  /** Of the last event handed on. Not of a bookmark: history asked for later may lie before it. */
  #handed: Offset | undefined
  /** The connection brought everything up to here. */
  #live: Cursor | undefined
  /** Each reading source has brought everything up to here. */
  readonly #reading = new Map<object, Cursor | undefined>()
  #held: Held[] = []
  /** Limit of the last release: while it stands still there is nothing to release, and a long reading costs no scans. */
  #released: Offset | undefined
  #jumped: Cursor | undefined

  constructor(private readonly hand: (event: HubEvent, cursor: Cursor) => void) {}

  /** Everything up to here was handed on: a new client that starts from it misses nothing. */
  get cursor(): Cursor | undefined {
    let lowest = this.#live
    for (const cursor of this.#reading.values()) if (cursor !== undefined && (!lowest || isAfter(offsetOf(lowest), offsetOf(cursor)))) lowest = cursor
    return lowest
  }

  /** A new connection: a gap is told again by each subscription that meets it. */
  opened(): void {
    this.#jumped = undefined
  }

  live(cursor: Cursor, event?: HubEvent): void {
    this.#live = cursor
    if (event) this.#held.push({ offset: offsetOf(cursor), cursor, event })
    this.#release()
  }

  /** A source begins to read behind `from`; undefined: from somewhere in the past. */
  join(source: object, from: Cursor | undefined): void {
    this.#reading.set(source, from)
    this.#released = undefined
  }

  /** A page of a source, complete up to `cursor`. */
  page(source: object, events: readonly { event: HubEvent; cursor: Cursor }[], cursor: Cursor): void {
    if (!this.#reading.has(source)) return
    for (const placed of events) this.#held.push({ ...placed, offset: offsetOf(placed.cursor) })
    this.#reading.set(source, cursor)
    this.#release()
  }

  /** The source reads no more: it has joined the live stream, or is gone. */
  leave(source: object): void {
    if (this.#reading.delete(source)) this.#release()
  }

  /**
   * Nothing between is to be had. After a lost branch of the journal (`epoch`) offsets start over, possibly lower:
   * what is held was sent before that and goes first. Several subscriptions meet the same gap; it is one jump.
   */
  jump(to: Cursor): void {
    if (to === this.#jumped) return
    this.#jumped = to
    this.#released = undefined
    this.#hand(this.#held.splice(0))
    this.#handed = offsetOf(to)
    this.#live = to
  }

  #release(): void {
    if (this.#held.length === 0) return
    const limit = this.#limit()
    if (limit === this.#released) return
    this.#released = limit
    if (this.#held.every((held) => !isAfter(held.offset, limit))) return this.#hand(this.#held.splice(0))
    const ready = this.#held.filter((held) => !isAfter(held.offset, limit))
    this.#held = this.#held.filter((held) => isAfter(held.offset, limit))
    this.#hand(ready)
  }

  #limit(): Offset {
    let lowest = this.#live === undefined ? ORIGIN : offsetOf(this.#live)
    for (const cursor of this.#reading.values()) {
      const offset = cursor === undefined ? ORIGIN : offsetOf(cursor)
      if (isAfter(lowest, offset)) lowest = offset
    }
    return lowest
  }

  #hand(events: Held[]): void {
    if (events.length > 1) events.sort((a, b) => compareOffsets(a.offset, b.offset))
    for (const { offset, cursor, event } of events) {
      if (this.#handed !== undefined && !isAfter(offset, this.#handed)) continue
      this.#handed = offset
      this.hand(event, cursor)
    }
  }
}

export function offsetOf(cursor: Cursor): Offset {
  return parseCursor(cursor)?.offset ?? ORIGIN
}
