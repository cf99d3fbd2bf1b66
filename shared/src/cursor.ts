/**
 * Offsets and cursors. An offset is a Redis stream id, `<ms>-<seq>`. A cursor is `<epoch>.<offset>`;
 * clients treat it as opaque. An epoch is a period in which one chain of commits grew: a cursor of an epoch
 * that the journal does not know met a failover that lost writes (I2: then, and only then, a gap).
 */

export type Offset = string
export type Cursor = string

/** Before every entry. */
export const ORIGIN: Offset = '0-0'

const OFFSET = /^(\d{1,16})-(\d{1,16})$/
const CURSOR = /^([A-Za-z0-9_-]{1,32})\.(\d{1,16}-\d{1,16})$/

export function isOffset(text: unknown): text is Offset {
  return typeof text === 'string' && OFFSET.test(text)
}

/** Negative when `a` is earlier. Both numbers are compared as numbers: `9-0` is before `10-0`. */
export function compareOffsets(a: Offset, b: Offset): number {
  if (a === b) return 0
  const dashA = a.indexOf('-')
  const dashB = b.indexOf('-')
  return Number(a.slice(0, dashA)) - Number(b.slice(0, dashB)) || Number(a.slice(dashA + 1)) - Number(b.slice(dashB + 1))
}

export function isAfter(a: Offset, b: Offset): boolean {
  return compareOffsets(a, b) > 0
}

export function laterOf(a: Offset, b: Offset): Offset {
  return compareOffsets(a, b) >= 0 ? a : b
}

/** Milliseconds part of an offset: the store's clock when the entry was committed. */
export function offsetMillis(offset: Offset): number {
  return Number(offset.slice(0, offset.indexOf('-')))
}

export function formatCursor(epoch: string, offset: Offset): Cursor {
  return `${epoch}.${offset}`
}

/** Undefined when the text is no cursor at all. Whether its epoch is known is the journal's to say. */
export function parseCursor(text: unknown): { epoch: string; offset: Offset } | undefined {
  const match = typeof text === 'string' ? CURSOR.exec(text) : null
  return match ? { epoch: match[1]!, offset: match[2]! } : undefined
}
