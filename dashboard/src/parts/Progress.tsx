import type { ReactNode } from 'react'
import { toneOf, type Tone } from './Status'
import css from './parts.module.css'

/** @param value percent; undefined: nobody said */
export function Progress({ value, label, status, tone = status === undefined ? 'busy' : toneOf(status) }: { value: number | undefined; label: string; status?: string; tone?: Tone }): ReactNode {
  const known = value !== undefined && Number.isFinite(value)
  const percent = known ? Math.min(100, Math.max(0, value)) : 0
  return (
    <div className={css.progress}>
      <div className={`${css.bar} ${css[tone]}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} {...(known && { 'aria-valuenow': Math.round(percent) })}>
        <div style={{ transform: `scaleX(${percent / 100})` }} />
      </div>
      <span aria-hidden="true">{known ? `${Math.round(percent)} %` : '—'}</span>
    </div>
  )
}
