import { memo, type ReactNode } from 'react'
import type { Tone } from './Status'
import css from './parts.module.css'

interface Drawn {
  /** The oldest first; null where nothing was measured. */
  values: readonly (number | null)[]
  /** In words: what is drawn, and its last figure with unit. */
  label: string
  /** Of the scale; default the largest value. */
  most?: number
  tone?: Tone
  width?: number
  height?: number
}

/** A line without axes: the shape of what was, with its last figure beside it in words. */
export const Sparkline = memo(function Sparkline({ values, label, most, tone = 'busy', width = 96, height = 24 }: Drawn): ReactNode {
  const top = most ?? Math.max(1e-9, ...values.map((value) => value ?? 0))
  const step = values.length > 1 ? width / (values.length - 1) : 0
  let path = ''
  let isDown = false
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isDown = false
      continue
    }
    const y = height - 1 - (Math.min(value, top) / top) * (height - 2)
    path += `${isDown ? 'L' : 'M'}${(index * step).toFixed(1)} ${y.toFixed(1)}`
    isDown = true
  }
  return (
    <svg role="img" aria-label={label} className={`${css.spark} ${css[tone]}`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none">
      <path d={path} />
    </svg>
  )
})
