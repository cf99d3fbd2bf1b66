/** One connection at its place: what its client certainly has, written down now and then. */
import type { Cursor } from '@hubbub/protocol'
import type { Logger } from '../../../observe/log.js'
import type { Speaker } from '../dialect.js'

/** Between two looks at where the client stands, ms. */
const LOOK_MS = 3000
/** Written though nothing moved: to keep the record, and to learn that another worker's connection took the place; ms. */
const RENEW_MS = 15_000
/** A ping with each burst would double what a delivery costs: measured, 42 us instead of 22. */
const ASK_MS = 250
const REPLACED = 1000

export interface StayDeps {
  ttlMs: number
  log: Logger
  /** False: the place is somebody else's. */
  save(cursor: Cursor): Promise<boolean>
  /** @param written settles when its last place was written, or could not be; never rejects */
  left(written: Promise<void>): void
}

export class Stay {
  /** The client has everything up to here. */
  private has: Cursor
  /** From a write to the answer behind which nothing was written. */
  private isUnsure = false
  private isAsked = false
  private askedAt = -ASK_MS
  private isLost = false
  private written?: Cursor
  private writtenAt = 0
  private readonly timer: NodeJS.Timeout

  constructor(private readonly speaker: Speaker, private readonly deps: StayDeps) {
    this.has = speaker.cursor()
    this.timer = setInterval(() => void this.write(), LOOK_MS)
    this.timer.unref()
    void this.write()
  }

  /** Events were written to it. */
  wrote(): void {
    this.isUnsure = true
    if (this.isAsked) return
    this.isAsked = true
    const wait = this.askedAt + ASK_MS - performance.now()
    // Never within the burst: its end is what the cursor names.
    if (wait > 0) setTimeout(() => void this.ask(), wait).unref()
    else setImmediate(() => void this.ask())
  }

  /** Another connection took the place. */
  replaced(): void {
    this.isLost = true
    this.speaker.close(REPLACED, 'another connection has this client_id')
  }

  end(): void {
    clearInterval(this.timer)
    this.deps.left(this.write())
  }

  private async ask(): Promise<void> {
    const cursor = this.speaker.cursor()
    this.askedAt = performance.now()
    this.isUnsure = false
    await this.speaker.received()
    this.has = cursor
    this.isAsked = false
    if (this.isUnsure) this.wrote()
  }

  /** Without anything that is not answered for, whatever went by was not for this client. */
  private place(): Cursor {
    return this.isAsked ? this.has : this.speaker.cursor()
  }

  /** Settles when its place stands in the store, or could not be written; never rejects. */
  async write(): Promise<void> {
    const cursor = this.place()
    const now = performance.now()
    if (this.isLost || (cursor === this.written && now - this.writtenAt < Math.min(RENEW_MS, this.deps.ttlMs / 4))) return
    this.written = cursor
    this.writtenAt = now
    try {
      if (!(await this.deps.save(cursor))) this.replaced()
    } catch (error) {
      this.written = undefined
      this.deps.log.debug({ err: error }, 'a client\'s place was not written')
    }
  }
}
