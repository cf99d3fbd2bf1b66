import { memo, useId, useState, type PointerEvent, type ReactNode } from 'react'
import { duration } from './Ago'
import { rounded } from './figures'
import type { Tone } from './Status'
import tones from './parts.module.css'
import css from './Chart.module.css'

export interface Point {
  /** ms since the epoch */
  at: number
  value: number
}

export interface Series {
  name: string
  tone: Tone
  /** The oldest first. */
  points: readonly Point[]
}

interface Drawn {
  label: string
  series: readonly Series[]
  /** `%`, ` tests`: follows each figure. */
  unit: string
  /** Of the scale; default the largest value, rounded up. */
  most?: number
  /** Fills below the first series. */
  isArea?: boolean
  /** ms since the epoch; default the first and the last point. */
  from?: number
  to?: number
}

/** Drawn in a square of so many units, and stretched. */
const SIZE = 1000
/** Of the figures as text. */
const ROWS = 50

/** Figures over time, each holding until the next: as lines, as a sentence, and as a table for whoever asks. */
export const Chart = memo(function Chart({ label, series, unit, most, isArea = false, from, to }: Drawn): ReactNode {
  const [at, setAt] = useState<number>()
  const known = series.filter(({ points }) => points.length > 0)
  const times = known.flatMap(({ points }) => [points[0]!.at, points.at(-1)!.at])
  const first = from ?? Math.min(...times)
  const last = Math.max(first + 1, to ?? Math.max(...times))
  if (known.length === 0) return null
  const top = most ?? roundUp(known.reduce((max, { points }) => points.reduce((highest, { value }) => Math.max(highest, value), max), 0))
  const scale: Scale = { first, last, top }
  const look = (event: PointerEvent<HTMLDivElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    setAt(first + ((event.clientX - left) / Math.max(1, width)) * (last - first))
  }
  return (
    <figure className={css.chart}>
      <figcaption className={css.caption}>
        <span className={css.label}>{label}</span>
        {known.map((one) => <Key key={one.name} series={one} unit={unit} at={at} />)}
      </figcaption>
      <div className={css.plot} onPointerMove={look} onPointerLeave={() => setAt(undefined)}>
        <svg role="img" aria-label={sentence(label, known, unit, scale)} viewBox={`0 0 ${SIZE} ${SIZE}`} preserveAspectRatio="none">
          {known.map((one, index) => <Line key={one.name} series={one} scale={scale} isArea={isArea && index === 0} />)}
        </svg>
        {at !== undefined && <span className={css.cursor} style={{ left: `${((at - first) / (last - first)) * 100}%` }} />}
        <span className={css.top} aria-hidden="true">{rounded(top)}{unit}</span>
        <span className={css.bottom} aria-hidden="true">0</span>
      </div>
      <div className={css.times} aria-hidden="true">
        <span>{clock(first)}</span>
        <span>{at !== undefined ? clock(at) : last - first < 1000 ? '' : `over ${duration(last - first)}`}</span>
        <span>{clock(last)}</span>
      </div>
      <Figures series={known} unit={unit} />
    </figure>
  )
})

interface Scale {
  first: number
  last: number
  top: number
}

function Key({ series: { name, tone, points }, unit, at }: { series: Series; unit: string; at: number | undefined }): ReactNode {
  const value = at === undefined ? points.at(-1)?.value : points.findLast((point) => point.at <= at)?.value
  return <span className={`${css.key} ${tones[tone]}`}>{name} <strong>{value === undefined ? '—' : `${rounded(value)}${unit}`}</strong></span>
}

function Line({ series: { tone, points }, scale, isArea }: { series: Series; scale: Scale; isArea: boolean }): ReactNode {
  const x = (at: number): string => (((at - scale.first) / (scale.last - scale.first)) * SIZE).toFixed(1)
  const y = (value: number): string => (SIZE - (Math.min(value, scale.top) / scale.top) * SIZE).toFixed(1)
  const [start, ...rest] = points
  const line = `M${x(start!.at)} ${y(start!.value)}${rest.map(({ at, value }) => `H${x(at)}V${y(value)}`).join('')}H${x(scale.last)}`
  return (
    <g className={tones[tone]}>
      {isArea && <path className={css.area} d={`${line}V${SIZE}H${x(start!.at)}Z`} />}
      <path className={css.line} d={line} />
    </g>
  )
}

function Figures({ series, unit }: { series: readonly Series[]; unit: string }): ReactNode {
  const [isOpen, setOpen] = useState(false)
  const id = useId()
  const rows = isOpen ? series.flatMap(({ name, points }) => points.map((point) => ({ name, ...point }))).sort((a, b) => b.at - a.at) : []
  return (
    <details className={css.figures} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Figures</summary>
      {isOpen && (
        <table aria-describedby={id}>
          <thead><tr><th scope="col">Time</th><th scope="col">What</th><th scope="col">Value</th></tr></thead>
          <tbody>{rows.slice(0, ROWS).map(({ name, at, value }, index) => <tr key={index}><td>{clock(at)}</td><td>{name}</td><td>{rounded(value)}{unit}</td></tr>)}</tbody>
        </table>
      )}
      {isOpen && <p id={id}>{rows.length > ROWS ? `The last ${ROWS} of ${rows.length}.` : 'The last one first.'}</p>}
    </details>
  )
}

function sentence(label: string, series: readonly Series[], unit: string, { first, last }: Scale): string {
  const parts = series.map(({ name, points }) => `${name} from ${rounded(points[0]!.value)}${unit} to ${rounded(points.at(-1)!.value)}${unit}`)
  return `${label} over ${duration(last - first)}: ${parts.join(', ')}`
}

function clock(at: number): string {
  return new Date(at).toLocaleTimeString()
}

/** 1, 2, 5, 10, 20, 50, ... */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, value)))
  return [1, 2, 5, 10].map((step) => step * unit).find((step) => step >= value) ?? unit
}
