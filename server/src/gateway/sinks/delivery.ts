/**
 * One sink's deliveries, one after the other: the next event goes when the former was taken. What waits here is bounded by the fan-out,
 * as for any connection (I7): when too much waits, it reads the journal at our pace, and stands still in `drained()` while the receiver
 * is away.
 */
import { isAfter, offsetMillis, parseCursor, type Cursor, type Gap } from '@hubbub/protocol'
import type { Chunk, Encoding, TailEntry } from '../../fanout/entry.js'
import type { Outlet } from '../../fanout/session.js'
import type { Metrics } from '../../observe/metrics.js'
import type { SinkProgress } from '../../store/port.js'
import { failedAgain, givenUp, waitBehind, type BackoffSettings } from './backoff.js'
import { bodyOf, headersOf, parcelOfEntry, parcelOfGap, type Parcel } from './message.js'
import type { Outcome, Poster } from './post.js'
import type { Tenure } from './tenure.js'

/** An event is held as it was committed; what the receiver gets is made when its turn comes. */
const COMMITTED: Encoding = {
  name: 'sink',
  encode: (entry) => ({ packet: entry.json, bytes: Buffer.from(entry.json) }),
}

/** What is waited for, in order. */
type Waiting = TailEntry | { gap: Gap } | { bookmark: Cursor }

/** A gap's or bookmark's part in what waits; bytes. */
const SMALL = 100

export interface DeliveryDeps {
  tenure: Tenure
  poster: Pick<Poster, 'post' | 'close'>
  settings: BackoffSettings
  metrics: Metrics
  /** The sink was paused by us. */
  onPaused: (reason: string) => void
}

export class Delivery implements Outlet {
  readonly encoding = COMMITTED
  private readonly queue: Waiting[] = []
  private bytes = 0
  private progress: SinkProgress
  /** No further request. */
  private readonly rest = new AbortController()
  /** Not even the one under way. */
  private readonly halt = new AbortController()
  private wake?: () => void
  private idle: (() => void)[] = []

  constructor(private readonly deps: DeliveryDeps) {
    this.progress = deps.tenure.claim.progress
  }

  get isFailing(): boolean {
    return this.progress.failure !== undefined
  }

  /** ms since the oldest event that waits was committed; 0 when none does. */
  lagMs(now = Date.now()): number {
    const oldest = this.queue.find((one): one is TailEntry => 'offset' in one)
    return oldest ? Math.max(0, now - offsetMillis(oldest.offset)) : 0
  }

  write(chunk: Chunk): void {
    for (const entry of chunk.entries) this.add(entry)
  }

  bookmark(cursor: Cursor): void {
    const last = this.queue.at(-1)
    if (last && 'bookmark' in last) last.bookmark = cursor
    else this.add({ bookmark: cursor })
  }

  gap(gap: Gap): void {
    this.add({ gap })
  }

  waiting(): { bytes: number; packets: number } {
    return { bytes: this.bytes, packets: this.queue.length }
  }

  confirmed(): Cursor {
    return this.progress.cursor
  }

  drained(): Promise<void> {
    if (this.queue.length === 0 || this.rest.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => this.idle.push(resolve))
  }

  /** Resolves when it was ended, paused, or the sink is somebody else's: the connection is then to be closed, and the tenure to be ended. */
  async run(): Promise<void> {
    const { signal } = this.rest
    while (!signal.aborted) {
      const [next] = this.queue
      if (!next) await this.more()
      else if ('bookmark' in next) {
        this.moveOn({ ...this.progress, cursor: next.bookmark })
      } else if (!(await this.deliver('gap' in next ? parcelOfGap(next.gap, this.deps.tenure.claim.record) : parcelOfEntry(next), 'gap' in next ? next.gap : undefined))) break
    }
    this.stop()
  }

  /** A request under way is finished: given up, it would be repeated by whoever goes on. */
  finish(): void {
    this.rest.abort()
    this.wake?.()
    for (const resolve of this.idle.splice(0)) resolve()
  }

  /** At once: a request under way is given up, and what it carried counts as not delivered. */
  stop(): void {
    this.finish()
    this.halt.abort()
    this.deps.poster.close()
  }

  /** Pauses the sink for a reason that is not the receiver's. */
  async giveUp(reason: string): Promise<void> {
    const { tenure, onPaused } = this.deps
    // Before the end gives the lease back.
    const paused = tenure.pause(reason, this.progress)
    this.stop()
    if (await paused) onPaused(reason)
  }

  /** Until it is taken. False: it was not, and nothing more goes out. */
  private async deliver(parcel: Parcel, gap: Gap | undefined): Promise<boolean> {
    const { tenure, poster, metrics } = this.deps
    const { record } = tenure.claim
    const body = bodyOf(parcel, record)
    for (;;) {
      if (!(await tenure.confirm()) || this.rest.signal.aborted) return false
      const { failure } = this.progress
      const attempt = failure?.event === parcel.id ? failure.attempts + 1 : 1
      const measured = metrics.sinkDuration.startTimer()
      const outcome = await poster.post(headersOf(parcel, record, body, attempt), body, this.halt.signal)
      if (outcome.kind === 'stopped') return false
      measured()
      metrics.sinkDeliveries.inc({ outcome: outcome.kind === 'failed' ? outcome.label : outcome.kind })
      if (outcome.kind === 'delivered') {
        this.taken(parcel, gap)
        return true
      }
      if (!(await this.refused(parcel, outcome))) return false
    }
  }

  private taken(parcel: Parcel, gap: Gap | undefined): void {
    const { failure: _over, ...progress } = this.progress
    const now = Date.now()
    this.moveOn({ ...progress, cursor: parcel.cursor, deliveries: progress.deliveries + 1, deliveredAt: now, ...(gap && { gap: { ...gap, at: now } }) })
  }

  /** True: try again, it was waited for long enough. */
  private async refused(parcel: Parcel, outcome: Extract<Outcome, { kind: 'failed' | 'gone' }>): Promise<boolean> {
    const { tenure, settings, onPaused } = this.deps
    const failure = failedAgain(this.progress.failure, parcel.id, outcome.message, Date.now())
    this.progress = { ...this.progress, failure }
    const reason = outcome.kind === 'gone' ? outcome.message : givenUp(failure, settings)
    if (reason !== undefined) {
      if (await tenure.pause(reason, this.progress)) onPaused(reason)
      return false
    }
    tenure.note(this.progress)
    await this.pause(waitBehind(failure, settings, outcome.kind === 'failed' ? outcome.retryAfterMs : undefined))
    return !this.rest.signal.aborted
  }

  private add(waiting: Waiting): void {
    if (this.rest.signal.aborted) return
    this.queue.push(waiting)
    this.bytes += sizeOf(waiting)
    this.wake?.()
  }

  /** The first of the queue is done with. A bookmark may be older than what is held: a session that rejoins is told where it stands. */
  private moveOn(progress: SinkProgress): void {
    const done = this.queue.shift()
    if (done) this.bytes -= sizeOf(done)
    this.progress = isBehind(progress.cursor, this.progress.cursor) ? { ...progress, cursor: this.progress.cursor } : progress
    this.deps.tenure.note(this.progress)
    if (this.queue.length === 0) for (const resolve of this.idle.splice(0)) resolve()
  }

  private more(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = () => {
        this.wake = undefined
        resolve()
      }
    })
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.rest
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
    })
  }
}

function sizeOf(waiting: Waiting): number {
  return 'offset' in waiting ? waiting.size : SMALL
}

/** Cursors of two epochs cannot be compared. */
function isBehind(one: Cursor, other: Cursor): boolean {
  const [a, b] = [parseCursor(one), parseCursor(other)]
  return a !== undefined && b !== undefined && a.epoch === b.epoch && isAfter(b.offset, a.offset)
}
