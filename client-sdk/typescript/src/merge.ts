/**
 * One journal order out of several sources (I1, I2): the live stream of the connection, and each subscription that still
 * reads what it missed, page by page. An event is handed on when every source has come as far; one that two sources
 * bring is handed on once.
 *
 * What is ahead of the slowest source is held, up to a limit. A source that brings more is not asked for more before there is room; the
 * live stream cannot be stopped, so beyond the limit it is forgotten, and read again from where the handing on stands.
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
  /** Everything up to here was handed on, as far as it will be. */
  #base: Cursor | undefined
  #waiting: (() => void)[] = []

  /** @param onFull more than `limit` events were held and are forgotten: all that lies behind the cursor has to be brought again */
  constructor(private readonly hand: (event: HubEvent, cursor: Cursor) => void, private readonly limit = Number.POSITIVE_INFINITY, private readonly onFull?: (from: Cursor) => void) {}

  /** Everything up to here was handed on: a new client that starts from it misses nothing. */
  get cursor(): Cursor | undefined {
    let lowest = this.#live
    for (const cursor of this.#reading.values()) if (cursor !== undefined && (!lowest || isAfter(offsetOf(lowest), offsetOf(cursor)))) lowest = cursor
    return lowest
  }

  /** A new connection: a gap is told again by each subscription that meets it. */
  opened(): void {
    this.#jumped = undefined
    this.#wake()
  }

  live(cursor: Cursor, event?: HubEvent): void {
    if (isOnwards(cursor, this.#live)) this.#live = cursor
    // An agent's older mail, over HTTP.
    else this.#released = undefined
    if (event) this.#held.push({ offset: offsetOf(cursor), cursor, event })
    this.#release()
    if (this.#held.length > this.limit) this.#forget()
  }

  /** Resolves when a source should be asked for its next page: at once for the one that all others wait for. */
  async room(source: object): Promise<void> {
    while (this.#held.length >= this.limit && this.#isAhead(source)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** A source begins to read behind `from`; undefined: from somewhere in the past. */
  join(source: object, from: Cursor | undefined): void {
    if (this.#reading.size === 0) this.#base = this.#live
    this.#reading.set(source, from)
    this.#released = undefined
  }

  /** A page of a source, complete up to `cursor`. */
  page(source: object, events: readonly { event: HubEvent; cursor: Cursor }[], cursor: Cursor): void {
    if (!this.#reading.has(source)) return
    for (const placed of events) this.#held.push({ ...placed, offset: offsetOf(placed.cursor) })
    this.#reading.set(source, cursor)
    this.#release()
    this.#wake()
  }

  /** The source reads no more: it has joined the live stream, or is gone. */
  leave(source: object): void {
    if (this.#reading.delete(source)) this.#release()
    this.#wake()
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
    this.#base = to
    this.#live = to
    this.#wake()
  }

  #forget(): void {
    const from = this.#base
    if (from === undefined || !this.onFull) return
    this.#held = []
    this.#released = undefined
    this.onFull(from)
  }

  #isAhead(source: object): boolean {
    const cursor = this.#reading.get(source)
    return cursor !== undefined && isAfter(offsetOf(cursor), this.#limit())
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
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
      if (isOnwards(cursor, this.#base)) this.#base = cursor
      this.hand(event, cursor)
    }
  }
}

/** In another epoch offsets may start over. */
function isOnwards(cursor: Cursor, before: Cursor | undefined): boolean {
  return before === undefined || isAfter(offsetOf(cursor), offsetOf(before)) || parseCursor(cursor)?.epoch !== parseCursor(before)?.epoch
}

export function offsetOf(cursor: Cursor): Offset {
  return parseCursor(cursor)?.offset ?? ORIGIN
}
