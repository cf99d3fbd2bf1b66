/** Refusals of the last hour by code, from a counter that only grows: a count a minute. */
import { isFailureCode } from '@hubbub/protocol'

const MINUTE_MS = 60_000
const MINUTES = 60

interface Minute {
  number: number
  counts: Map<string, number>
}

export class HourOfErrors {
  private readonly minutes: Minute[] = []
  private readonly lastAt = new Map<string, number>()
  private before = new Map<string, number>()

  /** @param totals since the start of the process, by code; @param now ms */
  take(totals: ReadonlyMap<string, number>, now: number): void {
    const number = Math.floor(now / MINUTE_MS)
    for (const [code, total] of totals) {
      const more = total - (this.before.get(code) ?? 0)
      if (more <= 0 || !isFailureCode(code)) continue
      const minute = this.minuteOf(number)
      minute.counts.set(code, (minute.counts.get(code) ?? 0) + more)
      this.lastAt.set(code, now)
    }
    this.before = new Map(totals)
    while (this.minutes.length > 0 && this.minutes[0]!.number <= number - MINUTES) this.minutes.shift()
  }

  counts(): Record<string, { count: number; lastAt: number }> {
    const sums = new Map<string, number>()
    for (const { counts } of this.minutes) for (const [code, count] of counts) sums.set(code, (sums.get(code) ?? 0) + count)
    return Object.fromEntries([...sums].map(([code, count]) => [code, { count, lastAt: this.lastAt.get(code) ?? 0 }]))
  }

  /** A clock that was set back goes on counting in the minute that it had. */
  private minuteOf(number: number): Minute {
    const last = this.minutes.at(-1)
    if (last && last.number >= number) return last
    const minute = { number, counts: new Map<string, number>() }
    this.minutes.push(minute)
    return minute
  }
}
