/** Where things stand on a time line: pure, so that every frame of the same things is the same picture. */
import type { Tone } from './Status'

/** What lasted before: a try that came to nothing. */
export interface Lost {
  /** ms since the epoch; undefined: nobody knows since when. */
  from: number | undefined
  to: number
  title: string
}

export interface Bar {
  id: string
  label: string
  /** ms since the epoch */
  from: number
  /** Undefined: it still lasts. */
  to: number | undefined
  tone: Tone
  status: string
  /** Where it leads. */
  href: string
  lost: readonly Lost[]
  /** Ids of bars that had to end before. */
  needs: readonly string[]
}

export interface Lane {
  id: string
  name: string
  /** Below the name. */
  note?: string
  bars: readonly Bar[]
}

/** A moment. */
export interface Mark {
  at: number
  label: string
  tone: Tone
}

export interface PlacedBar {
  bar: Bar
  row: number
  /** When the next one begins in its row; its label may reach so far. */
  room: number
}

export interface PlacedLane {
  lane: Lane
  bars: readonly PlacedBar[]
  /** px from the top of the first lane. */
  top: number
  height: number
}

export interface Layout {
  lanes: readonly PlacedLane[]
  /** px; below 16 labels have no room. */
  rowHeight: number
  height: number
}

const LANE_PADDING = 6
const LEAST_LANE = 44
/** Rows of all lanes together, and the height (px) that leaves all of them in sight. */
const HEIGHTS = [[16, 26], [32, 18], [72, 12], [Infinity, 7]] as const

/** What overlaps stands below the other. Bars that still last take their row for themselves. @param gap ms that must be free between two bars of a row */
export function layOut(lanes: readonly Lane[], gap: number): Layout {
  const packed = lanes.map((lane) => ({ lane, bars: pack(lane.bars, gap) }))
  const rows = packed.reduce((sum, { bars }) => sum + rowsOf(bars), 0)
  const rowHeight = HEIGHTS.find(([most]) => rows <= most)![1]
  let top = 0
  const placed = packed.map(({ lane, bars }) => {
    const height = Math.max(LEAST_LANE, rowsOf(bars) * rowHeight + 2 * LANE_PADDING)
    top += height
    return { lane, bars, top: top - height, height }
  })
  return { lanes: placed, rowHeight, height: top }
}

/** px from the top of the first lane to the middle of the bar. */
export function middleOf({ top }: PlacedLane, { row }: PlacedBar, rowHeight: number): number {
  return top + LANE_PADDING + (row + 0.5) * rowHeight
}

export function topOf({ row }: PlacedBar, rowHeight: number): number {
  return LANE_PADDING + row * rowHeight
}

function rowsOf(bars: readonly PlacedBar[]): number {
  return bars.reduce((most, { row }) => Math.max(most, row + 1), 0)
}

function pack(bars: readonly Bar[], gap: number): PlacedBar[] {
  const placed: { bar: Bar; row: number; room: number }[] = []
  /** The last one of each row. */
  const rows: { bar: Bar; row: number; room: number }[] = []
  for (const bar of bars.toSorted((a, b) => beginOf(a) - beginOf(b) || (a.id < b.id ? -1 : 1))) {
    const begin = beginOf(bar)
    const free = rows.findIndex(({ bar: last }) => last.to !== undefined && Math.max(last.to, last.from + gap) <= begin)
    const row = free < 0 ? rows.length : free
    if (free >= 0) rows[free]!.room = begin
    const one = { bar, row, room: Infinity }
    rows[row] = one
    placed.push(one)
  }
  return placed
}

/** Of its first try, lost or not. */
export function beginOf({ from, lost }: Bar): number {
  return lost.reduce((first, one) => Math.min(first, one.from ?? one.to), from)
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000] as const

/** Round moments between two, about so many. */
export function ticks(from: number, to: number, about: number): { at: number; label: string }[] {
  const wanted = (to - from) / Math.max(1, about) / 1000
  const step = (STEPS_S.find((seconds) => seconds >= wanted) ?? STEPS_S.at(-1)!) * 1000
  // Whole hours and days are the visitor's, not Greenwich's.
  const zone = new Date(from).getTimezoneOffset() * 60_000
  const found: { at: number; label: string }[] = []
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) found.push({ at, label: labelOf(at, step) })
  return found
}

function labelOf(at: number, step: number): string {
  const date = new Date(at)
  if (step >= 86_400_000) return date.toLocaleDateString(undefined, { month: 'short', day: 'numeric' })
  return date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', ...(step < 60_000 && { second: '2-digit' }) })
}
