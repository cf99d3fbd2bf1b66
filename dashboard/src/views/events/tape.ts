/**
 * What the list of events shows, and from where it comes.
 *
 *     live --hold--> held --release--> live
 *       `----seek----> past --caught up, to live--> live
 */
import type { Client, Cursor, Gap, HubError, HubEvent, Since, Subscription } from '@hubbub/client'
import { FrameStore } from '../../parts/frameStore'
import { Density } from './density'
import { List, type Held } from './list'
import { readPage, timeOf, type Asked, type Placed } from './page'
import { atOf, Playback, type Speed } from './playback'
import type { EventLine, Line } from './roll'

export interface TapeView {
  /** Those that the search finds; the newest last. */
  readonly lines: readonly Line[]
  /** In the list, found or not. */
  readonly kept: number
  readonly mode: 'live' | 'past'
  readonly held: Held
  /** Events that came since it is held. */
  readonly waiting: number
  /** Of the past: 0 stands still. */
  readonly speed: Speed
  /** Of the past, ms since the epoch: where it is, and when the next event is due. */
  readonly clock: number | undefined
  readonly nextAt: number | undefined
  readonly canMore: boolean
  readonly isReading: boolean
  readonly error: HubError | undefined
  /** Of the journal, for what is asked, ms since the epoch; undefined: not known, or there is nothing. */
  readonly oldest: number | undefined
  /** Events that came in the last whole second; of the tail. */
  readonly rate: number | undefined
  /** Raised when the list begins anew. */
  readonly beginning: number
}

const NOTHING: TapeView = { lines: [], kept: 0, mode: 'live', held: undefined, waiting: 0, speed: 0, clock: undefined, nextAt: undefined, canMore: false, isReading: true, error: undefined, oldest: undefined, rate: undefined, beginning: 0 }
/** Shown of what was before, when the tail is opened. */
const BEFORE = 200
/** Between two looks of the list. At a thousand events a second each of them is another list. */
const EVERY_MS = 100
/** For the way to the hub, and clocks that differ. */
const MARGIN_MS = 2000

export class Tape extends FrameStore<TapeView> {
  readonly density = new Density()
  readonly #list = new List()
  #subscription: Subscription | undefined
  #past: Playback | undefined
  #isReading = true
  #error: HubError | undefined
  #oldest: number | undefined
  /** Raised with each source: what an older one still brings is not wanted. */
  #turn = 0
  #beginning = 0
  /** ms by which this machine's clock is ahead of the hub's, at most. */
  #aheadMs: number | undefined
  readonly #second = { at: 0, count: 0, rate: undefined as number | undefined }

  /** @param from ms since the epoch: opened at this time of the past */
  constructor(private readonly client: Client, private readonly asked: Asked, private readonly from?: number) {
    super(NOTHING, EVERY_MS)
  }

  protected start(): () => void {
    if (this.from === undefined) this.#tail({ last: BEFORE })
    else this.seek(this.from)
    void this.#findOldest()
    // The rate falls to 0 also when nothing comes.
    const timer = setInterval(() => this.changed(), 1000)
    return () => {
      clearInterval(timer)
      this.#leave()
    }
  }

  search(text: string): void {
    this.#list.search(text)
    this.changed()
  }

  hold(why: 'paused' | 'read'): void {
    if (this.#past) this.#past.stop()
    else this.#list.hold(why)
    this.changed()
  }

  /** The list goes on, with what came meanwhile. */
  release(): void {
    this.#list.release()
    this.changed()
  }

  /** Shows what was from a time on, or behind a cursor. @param at ms since the epoch */
  seek(at: number | Cursor): void {
    this.#begin()
    const from = typeof at === 'number' ? at : (timeOf(at) ?? Date.now())
    const since = typeof at === 'string' ? at : this.#sinceOf(from)
    this.density.begin(from)
    this.#past = new Playback(from, {
      client: this.client,
      asked: this.asked,
      since,
      show: (placed) => this.#take(placed),
      clear: () => {
        this.#list.clear()
        this.#beginning++
      },
      gap: (gap) => this.#list.addGap(gap),
      failed: (error) => this.#fail(error),
      changed: () => this.changed(),
      caughtUp: (cursor) => this.#tail(cursor, true),
    })
    this.changed()
  }

  get isPast(): boolean {
    return this.#past !== undefined
  }

  play(speed: Speed): void {
    this.#past?.play(speed)
  }

  more(): void {
    void this.#past?.more()
  }

  skip(): void {
    this.#past?.skip()
  }

  toLive(): void {
    if (this.#past) this.#tail({ last: BEFORE })
    else this.release()
  }

  retry(): void {
    this.#tail({ last: BEFORE })
    void this.#findOldest()
  }

  /** The newest with the id. */
  find(id: string): EventLine | undefined {
    return this.#list.events((event) => event.id === id).at(-1)
  }

  /** Those in the list for which it holds. */
  filter(holds: (event: HubEvent) => boolean): EventLine[] {
    return this.#list.events(holds)
  }

  protected view(): TapeView {
    const past = this.#past
    const list = this.#list
    this.#settleRate(Date.now())
    return {
      lines: list.lines(),
      kept: list.kept,
      mode: past ? 'past' : 'live',
      held: list.held,
      waiting: list.came,
      speed: past?.speed ?? 0,
      clock: past?.clock,
      nextAt: past?.nextAt,
      canMore: past?.canMore ?? false,
      isReading: past?.isReading ?? this.#isReading,
      error: this.#error,
      oldest: this.#oldest,
      rate: past ? undefined : this.#second.rate,
      beginning: this.#beginning,
    }
  }

  /** The hub counts back from when it is asked, by its own clock: a little more is asked for, and what lies before is left out. */
  #sinceOf(at: number): Since {
    const from = at - MARGIN_MS
    if (this.#oldest !== undefined && from <= this.#oldest) return 'all'
    return `${Number((Math.max(1, Date.now() - (this.#aheadMs ?? 0) - from) / 1000).toFixed(3))}s`
  }

  /** @param goesOn behind what the list shows already */
  #tail(since: Since, goesOn = false): void {
    if (goesOn) this.#leave()
    else this.#begin()
    const turn = ++this.#turn
    this.#isReading = true
    this.density.begin(goesOn ? (this.#list.last?.at ?? Date.now()) : Date.now())
    this.client.subscribe({ ...this.asked, since }).then(
      (subscription) => {
        if (turn !== this.#turn) return void subscription.unsubscribe()
        this.#subscription = subscription
        subscription.onGap((gap) => this.#isNow(turn) && this.#addGap(gap))
        subscription.onEnd((error) => error && this.#isNow(turn) && this.#fail(error))
        subscription.on((event, { cursor }) => this.#isNow(turn) && this.#take({ event, cursor }))
        subscription.live().then(() => this.#isNow(turn) && this.#settled(), () => undefined)
      },
      (error: HubError) => this.#isNow(turn) && this.#fail(error),
    )
    this.changed()
  }

  #isNow(turn: number): boolean {
    return turn === this.#turn
  }

  async #findOldest(): Promise<void> {
    try {
      const { events } = await readPage(this.client, this.asked, 'all')
      this.#oldest = events[0] && atOf(events[0])
      this.changed()
    } catch {
      // The list itself is refused with the same words.
    }
  }

  #begin(): void {
    this.#leave()
    this.#list.clear()
    this.#beginning++
    this.#error = undefined
  }

  #leave(): void {
    this.#turn++
    this.#past?.close()
    this.#past = undefined
    void this.#subscription?.unsubscribe()
    this.#subscription = undefined
  }

  #settled(): void {
    this.#isReading = false
    this.changed()
  }

  #fail(error: HubError): void {
    this.#error = error
    this.#settled()
  }

  #take(placed: Placed): void {
    const at = atOf(placed)
    this.density.add(at)
    if (!this.#past && !this.#isReading) this.#measure(at)
    this.#list.add(placed, at)
    this.changed()
  }

  #addGap(gap: Gap): void {
    this.#list.addGap(gap)
    this.changed()
  }

  /** @param at by the hub's clock */
  #measure(at: number): void {
    const now = Date.now()
    this.#aheadMs = Math.min(this.#aheadMs ?? Number.POSITIVE_INFINITY, now - at)
    this.#settleRate(now)
    this.#second.count++
  }

  #settleRate(now: number): void {
    const second = Math.floor(now / 1000)
    const own = this.#second
    if (second === own.at) return
    own.rate = own.at === 0 ? undefined : second === own.at + 1 ? own.count : 0
    own.at = second
    own.count = 0
    if (!this.#past) this.density.reach(now)
  }
}

