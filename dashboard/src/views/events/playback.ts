/**
 * The past, from a time on: it is read a page ahead, and shown as time passes, by the hub's own record of it, at a chosen speed. Without
 * playing the first events from there on are shown at once, and more when asked for.
 *
 *     opening --first page--> still --play--> playing --nothing more--> caught up: the tail takes over
 *                               ^---stop---------'
 */
import type { Client, Gap, HubError, Since } from '@hubbub/client'
import { readPage, timeOf, type Asked, type Placed } from './page'

export type Speed = 0 | 1 | 10 | 60

export interface PlaybackDeps {
  client: Client
  asked: Asked
  /** Where the reading begins. */
  since: Since
  show: (placed: Placed) => void
  /** Before the play begins: what was shown at once is taken back. */
  clear: () => void
  gap: (gap: Gap) => void
  failed: (error: HubError) => void
  changed: () => void
  /** Playing came to where nothing more follows. */
  caughtUp: (since: Since) => void
}

/** Shown at once when a time was chosen, and each time more is asked for. */
const PORTION = 200
const TICK_MS = 100
/** Read ahead: less than so many events left, and the next page is asked for. */
const LOW = 300

export class Playback {
  speed: Speed = 0
  isReading = false
  /** Nothing more followed when it was last read. */
  isEnd = false
  /** ms since the epoch */
  clock: number
  #since: Since
  #ahead: Placed[] = []
  /** Shown though the clock is not there yet. */
  #early: Placed[] = []
  #timer: ReturnType<typeof setInterval> | undefined
  #isClosed = false
  #isFresh = true
  /** Nothing before it is shown: more than was asked for may be read. */
  readonly #from: number

  /** @param from ms since the epoch */
  constructor(from: number, private readonly deps: PlaybackDeps) {
    this.clock = this.#from = from
    this.#since = deps.since
    void this.#readFirst().then(() => this.more())
  }

  get canMore(): boolean {
    return this.#ahead.length > 0 || !this.isEnd
  }

  /** When the next event comes, should the clock not be there yet. */
  get nextAt(): number | undefined {
    return this.#ahead[0] && atOf(this.#ahead[0])
  }

  play(speed: Speed): void {
    if (speed === 0) return this.stop()
    this.speed = speed
    if (this.#early.length > 0) {
      this.#ahead = [...this.#early, ...this.#ahead]
      this.#early = []
      this.deps.clear()
    }
    let last = performance.now()
    clearInterval(this.#timer)
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#pass((now - last) * speed)
      last = now
    }, TICK_MS)
    this.deps.changed()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.speed = 0
    this.deps.changed()
  }

  /** The next portion at once. */
  async more(): Promise<void> {
    if (this.#ahead.length === 0) await this.#read()
    const portion = this.#ahead.splice(0, PORTION)
    // Only what is shown at the beginning may be taken back: later the clock stands at what was shown.
    if (this.speed === 0 && this.#early.length === 0 && this.#isFresh) this.#early = portion
    else if (portion.length > 0) {
      this.#early = []
      this.clock = Math.max(this.clock, atOf(portion.at(-1)!))
    }
    this.#isFresh = false
    for (const placed of portion) this.deps.show(placed)
    this.#readAhead()
    this.deps.changed()
  }

  /** To the next event, past a silence. */
  skip(): void {
    if (this.nextAt !== undefined) this.clock = Math.max(this.clock, this.nextAt)
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  #pass(ms: number): void {
    const due = this.clock + ms
    let shown = 0
    while (this.#ahead[shown] && atOf(this.#ahead[shown]!) <= due) this.deps.show(this.#ahead[shown++]!)
    const last = shown > 0 ? this.#ahead[shown - 1] : undefined
    this.#ahead.splice(0, shown)
    this.#readAhead()
    // While the hub is asked, time stands: what it has yet to tell may lie before `due`.
    if (this.#ahead.length > 0) this.clock = due
    else if (last) this.clock = Math.max(this.clock, atOf(last))
    if (this.#ahead.length === 0 && this.isEnd && !this.isReading) return this.deps.caughtUp(this.#since)
    this.deps.changed()
  }

  #readAhead(): void {
    if (this.#ahead.length < LOW && !this.isEnd) void this.#read()
  }

  /** The first page may hold nothing but what lies before. */
  async #readFirst(): Promise<void> {
    do await this.#read()
    while (this.#ahead.length === 0 && !this.isEnd && !this.#isClosed)
  }

  async #read(): Promise<void> {
    if (this.isReading || this.#isClosed) return
    this.isReading = true
    this.deps.changed()
    try {
      const { events, gap, cursor, isEnd } = await readPage(this.deps.client, this.deps.asked, this.#since)
      if (this.#isClosed) return
      if (gap && (timeOf(gap.to) ?? this.#from) > this.#from) this.deps.gap(gap)
      for (const placed of events) if (atOf(placed) >= this.#from) this.#ahead.push(placed)
      this.#since = cursor ?? this.#since
      this.isEnd = isEnd
    } catch (error) {
      if (this.#isClosed) return
      this.isEnd = true
      this.stop()
      this.deps.failed(error as HubError)
    }
    this.isReading = false
    this.deps.changed()
  }
}

/** The journal's time, not the producer's: it never goes back. */
export function atOf({ event, cursor }: Placed): number {
  return timeOf(cursor) ?? event.metadata.recordedAt
}
