/** Figures for people. */

export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 999_500) return `${(value / 1e6).toFixed(2)} M`
  if (size >= 999.5) return `${(value / 1e3).toFixed(size >= 99_950 ? 0 : 1)} k`
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
