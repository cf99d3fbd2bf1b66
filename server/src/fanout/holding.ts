/** What an audience's subscriptions gather: live entries that wait for others, up to the time that the most impatient of them allows. */
import type { Cursor } from '@hubbub/protocol'
import { CHUNK_BYTES, type TailEntry } from './entry.js'
import { paceOf } from './pace.js'
import type { Subscription } from './subscription.js'

export interface Held {
  entries: TailEntry[]
  /** Everything up to here was given. */
  since: Cursor
}

export class Holding {
  private entries: TailEntry[] = []
  private since: Cursor = ''
  private bytes = 0
  /** `performance.now()` at which they go; Infinity: nothing waits. */
  private due = Number.POSITIVE_INFINITY
  private timer?: NodeJS.Timeout

  /** @param release the time is up: `take` what there is */
  constructor(private readonly release: () => void) {}

  get isEmpty(): boolean {
    return this.entries.length === 0
  }

  /** Everything up to here was given; undefined when nothing waits. */
  get waitsBehind(): Cursor | undefined {
    return this.isEmpty ? undefined : this.since
  }

  /**
   * @param flushed where the audience stands before these entries
   * @returns false: something among them goes at once, or as much waits as one message holds
   */
  add(entries: readonly TailEntry[], subscriptions: readonly Subscription[], flushed: Cursor): boolean {
    if (this.isEmpty) this.since = flushed
    const now = performance.now()
    let due = this.due
    for (const entry of entries) {
      this.entries.push(entry)
      this.bytes += entry.size
      due = Math.min(due, now + (paceOf(subscriptions, entry)?.ms ?? 0))
    }
    if (due <= now || this.bytes > CHUNK_BYTES) return false
    if (due < this.due) this.wakeAt(due, now)
    return true
  }

  take(): Held | undefined {
    clearTimeout(this.timer)
    this.due = Number.POSITIVE_INFINITY
    if (this.isEmpty) return undefined
    const held = { entries: this.entries, since: this.since }
    this.entries = []
    this.bytes = 0
    return held
  }

  private wakeAt(due: number, now: number): void {
    this.due = due
    clearTimeout(this.timer)
    this.timer = setTimeout(this.release, due - now)
  }
}
