/** Times as producers write them. */

/** Numbers below are seconds; as milliseconds they would be before March 1973. */
const SECONDS_BELOW = 1e11
const LATEST = Date.UTC(9999, 11, 31)
const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?\s?(Z|[+-]\d\d:?\d\d)?$/i

/**
 * Integer milliseconds since the epoch of a number (milliseconds, or seconds below 1e11) or an ISO 8601 text (without an offset: UTC).
 * Undefined when it is neither. Times before March 1973 are none: read again, they would be taken for seconds.
 */
export function readMillis(time: unknown): number | undefined {
  const millis = typeof time === 'number' ? Math.round(time < SECONDS_BELOW ? time * 1000 : time) : typeof time === 'string' ? parseIso(time) : NaN
  return millis >= SECONDS_BELOW && millis <= LATEST ? millis : undefined
}

/** Milliseconds of an ISO 8601 text, NaN when it is none. */
export function parseIso(text: string): number {
  const match = text.length <= 40 ? ISO.exec(text) : null
  if (match === null) return NaN
  const [, date, minutes, seconds = ':00', fraction = '', zone = 'Z'] = match
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase()
  return Date.parse(`${date}T${minutes}${seconds}${fraction}${offset}`)
}
