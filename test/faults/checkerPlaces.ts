/**
 * Offsets as numbers, so that a history of millions fits into typed arrays and is compared without parsing: ms since shortly before the
 * run's first offset, times 2^26, plus the sequence. A run may last 18 hours, and a millisecond hold 67 million entries.
 */
import type { Offset } from '@hubbub/protocol'

/** An offset in this run. 0 is before everything. */
export type Place = number

const SEQUENCES = 2 ** 26
const SPAN_MS = 2 ** 27

export class Places {
  private baseMs = -1

  /** @throws RangeError for what is no offset, or lies outside the run */
  of(offset: Offset): Place {
    let ms = 0
    let at = 0
    let code = offset.charCodeAt(0)
    for (; code >= 48 && code <= 57; code = offset.charCodeAt(++at)) ms = ms * 10 + code - 48
    if (code !== 45 || at === 0) throw new RangeError(`${offset} is no offset`)
    let sequence = 0
    const dash = at
    for (code = offset.charCodeAt(++at); code >= 48 && code <= 57; code = offset.charCodeAt(++at)) sequence = sequence * 10 + code - 48
    if (at !== offset.length || at === dash + 1) throw new RangeError(`${offset} is no offset`)
    return this.from(ms, sequence)
  }

  text(place: Place): Offset {
    if (place === 0) return '0-0'
    return `${Math.floor(place / SEQUENCES) + this.baseMs}-${place % SEQUENCES}`
  }

  private from(ms: number, sequence: number): Place {
    if (ms === 0) return 0
    // Gaps may name what is older than the run.
    if (this.baseMs < 0) this.baseMs = Math.max(0, ms - SPAN_MS / 2)
    if (ms < this.baseMs) return 0
    if (ms - this.baseMs >= SPAN_MS || sequence >= SEQUENCES) throw new RangeError(`${ms}-${sequence} lies outside of the run`)
    return (ms - this.baseMs) * SEQUENCES + sequence
  }
}
