/** `since`: from where a subscription or history request reads. */
import { type Offset, parseCursor } from './cursor.js'
import { HubError } from './failures.js'

export type SinceRequest =
  | { kind: 'cursor'; epoch: string; offset: Offset }
  /** Events of the last so many milliseconds. */
  | { kind: 'duration'; ms: number }
  | { kind: 'last'; count: number }
  | { kind: 'all' }

const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** What one request may ask back for; a journal that keeps more is read by cursor. */
const MOST_EVENTS = 1_000_000

/** @throws HubError INVALID_CURSOR */
export function parseSince(since: unknown): SinceRequest {
  if (since === 'all') return { kind: 'all' }
  if (typeof since === 'string' && since.length <= 80) {
    const cursor = parseCursor(since)
    if (cursor !== undefined) return { kind: 'cursor', ...cursor }
    const duration = DURATION.exec(since)
    if (duration !== null) return { kind: 'duration', ms: Math.round(Number(duration[1]) * UNITS[duration[2]!]!) }
  }
  if (typeof since === 'object' && since !== null && !Array.isArray(since)) {
    const last: unknown = (since as { last?: unknown }).last
    if (Number.isInteger(last) && (last as number) >= 1 && (last as number) <= MOST_EVENTS) return { kind: 'last', count: last as number }
  }
  throw new HubError('INVALID_CURSOR')
}
