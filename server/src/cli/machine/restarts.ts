/**
 * When a process of the machine that ended is started again, and when that is hopeless. Pure: `seat.ts` acts on it.
 * The wait doubles with each end, whatever its cause, until a process has served for a while: one that falls at its first
 * event would otherwise be started ten times a second for ever.
 */
const FIRST_MS = 100
const MOST_MS = 10_000
/** A process that was ready for this long begins a clean sheet, ms. */
const SERVED_MS = 30_000
/** So many in a row that ended before they were ready: the next will do no better. */
export const HOPELESS = 5

/** What a seat remembers from process to process. */
export interface Sheet {
  /** In a row, that ended before they were ready. */
  readonly failures: number
  /** Before the next start, ms. */
  readonly waitMs: number
}

export const CLEAN: Sheet = { failures: 0, waitMs: FIRST_MS }

export interface Verdict {
  /** Before the next start, ms. */
  waitMs: number
  isHopeless: boolean
  sheet: Sheet
}

/** `servedMs`: how long the process that ended had been ready; undefined: it never was. */
export function afterEnd(sheet: Sheet, servedMs: number | undefined): Verdict {
  const { waitMs } = servedMs !== undefined && servedMs >= SERVED_MS ? CLEAN : sheet
  const failures = servedMs === undefined ? sheet.failures + 1 : 0
  return { waitMs, isHopeless: failures >= HOPELESS, sheet: { failures, waitMs: Math.min(waitMs * 2, MOST_MS) } }
}
