/** Figures with their units, short enough for a column; what is not known is `—`. */

export function bytes(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '—'
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let size = Math.max(0, value)
  let unit = 0
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1024
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`
}

export function rate(value: number | undefined): string {
  return value === undefined ? '—' : `${short(value)}/s`
}

export function short(value: number): string {
  if (!Number.isFinite(value)) return '—'
  if (Math.abs(value) < 10 && !Number.isInteger(value)) return value.toFixed(1)
  if (Math.abs(value) < 10_000) return String(Math.round(value))
  if (Math.abs(value) < 10_000_000) return `${Math.round(value / 1000)}k`
  return `${Math.round(value / 1_000_000)}M`
}

export function percent(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? `${Math.round(value)} %` : '—'
}

export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return '—'
  return value < 10 ? `${value.toFixed(1)} ms` : duration(value)
}

/** Two units at most. */
export function duration(value: number): string {
  if (value < 1000) return `${Math.max(0, Math.round(value))} ms`
  const parts = unitsOf(value)
  const first = parts.findIndex(([count]) => count > 0)
  return parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`).join(' ')
}

/** Days, hours, minutes and seconds of so many ms, the largest first. */
export function unitsOf(value: number): (readonly [count: number, unit: string])[] {
  const seconds = Math.floor(value / 1000)
  return [[Math.floor(seconds / 86_400), 'd'], [Math.floor(seconds / 3600) % 24, 'h'], [Math.floor(seconds / 60) % 60, 'm'], [seconds % 60, 's']]
}

/** @param at ISO 8601 */
export function ago(at: string | undefined, now = Date.now()): string {
  const then = at === undefined ? Number.NaN : Date.parse(at)
  if (Number.isNaN(then)) return '—'
  return now - then < 1500 ? 'now' : `${duration(now - then)} ago`
}
