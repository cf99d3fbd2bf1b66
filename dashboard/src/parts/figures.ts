/** Figures with their units. What is not known is `—`, never 0. */

export const UNKNOWN = '—'

type Maybe = number | null | undefined

function isKnown(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** 1,234 */
export function count(value: Maybe): string {
  return isKnown(value) ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : UNKNOWN
}

/** @param value percent, not a share of 1 */
export function percent(value: Maybe): string {
  return isKnown(value) ? `${rounded(value)} %` : UNKNOWN
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** @param value bytes */
export function bytes(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN
  const step = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10)))
  return `${rounded(value / 1024 ** step)} ${SIZES[step]}`
}

/** @param value ms; three figures at most: `0.42 ms`, `38 ms`, `1.2 s` */
export function millis(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN
  return value >= 10_000 ? `${rounded(value / 1000)} s` : value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${rounded(value)} ms`
}

/** @param value a second */
export function rate(value: Maybe): string {
  return isKnown(value) ? `${rounded(value)} /s` : UNKNOWN
}

export function rounded(value: number): string {
  const size = Math.abs(value)
  const fractionDigits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: fractionDigits })
}

/** `1 task`, `3 tasks` */
export function counted(number: number, one: string, several = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : several}`
}
