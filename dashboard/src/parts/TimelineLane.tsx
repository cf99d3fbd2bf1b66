import { memo, type ReactNode } from 'react'
import { Link } from 'wouter'
import { shown } from './Said'
import { middleOf, topOf, type Bar, type Layout, type PlacedBar, type PlacedLane } from './lanes'
import css from './Timeline.module.css'
import tones from './parts.module.css'

export interface Scale {
  /** ms since the epoch */
  from: number
  to: number
  /** The end of what still lasts. */
  now: number
  /** Of the width, 0 to 1. */
  share: (at: number) => number
}

interface Drawn {
  placed: PlacedLane
  rowHeight: number
  scale: Scale
  active: string | undefined
  /** What is not among them stands back. */
  related: ReadonlySet<string> | undefined
  /** The bar that Tab reaches. */
  stop: string | undefined
  onActive: (id: string | undefined) => void
}

const WITH_LABELS = 16

export const TimelineLane = memo(function TimelineLane({ placed, rowHeight, scale, active, related, stop, onActive }: Drawn): ReactNode {
  const { lane, bars, height } = placed
  return (
    <div className={css.lane} role="listitem" aria-label={shown(`${lane.name}${lane.note ? `, ${lane.note}` : ''}`, 200)} style={{ height }}>
      <div className={css.name}>
        <bdi className="cut">{shown(lane.name, 80)}</bdi>
        {lane.note && <small title={lane.note}>{lane.note}</small>}
      </div>
      <div className={css.bars}>
        {bars.map((one) => (
          <One key={one.bar.id} placed={one} rowHeight={rowHeight} scale={scale} isActive={one.bar.id === active} isDim={related !== undefined && !related.has(one.bar.id)} tabIndex={one.bar.id === stop ? 0 : -1} onActive={onActive} />
        ))}
      </div>
    </div>
  )
})

interface OneDrawn extends Pick<Drawn, 'rowHeight' | 'scale' | 'onActive'> {
  placed: PlacedBar
  isActive: boolean
  isDim: boolean
  tabIndex: 0 | -1
}

function One({ placed, rowHeight, scale, isActive, isDim, tabIndex, onActive }: OneDrawn): ReactNode {
  const { bar, room } = placed
  const percent = (from: number, to: number): { left: string; width: string } => ({ left: `${scale.share(from) * 100}%`, width: `${(scale.share(to) - scale.share(from)) * 100}%` })
  const vertical = { top: topOf(placed, rowHeight), height: rowHeight - (rowHeight > 10 ? 3 : 1) }
  const to = bar.to ?? scale.now
  return (
    <>
      {bar.lost.map((lost) => (
        <span key={`${lost.to} ${lost.title}`} className={`${css.lost} ${isDim ? css.dim : ''}`} style={{ ...percent(lost.from ?? lost.to, lost.to), ...vertical }} title={shown(lost.title, 200)} />
      ))}
      <Link
        href={bar.href} className={`${css.bar} ${tones[bar.tone]} ${bar.to === undefined ? css.open : ''} ${isActive ? css.active : ''} ${isDim ? css.dim : ''}`}
        style={{ ...percent(bar.from, to), ...vertical }} tabIndex={tabIndex} data-bar={bar.id} data-status={bar.status}
        aria-label={`${shown(bar.label, 120)}, ${shown(bar.status, 40).replaceAll('_', ' ')}${bar.lost.length > 0 ? `, ${bar.lost.length} lost` : ''}`}
        onFocus={() => onActive(bar.id)} onPointerEnter={() => onActive(bar.id)}
      />
      {rowHeight >= WITH_LABELS && (
        <bdi aria-hidden="true" className={`${css.text} ${isDim ? css.dim : ''}`} style={{ ...percent(bar.from, Math.min(room, scale.to)), ...vertical }}>{shown(bar.label, 80)}</bdi>
      )}
    </>
  )
}

/** From the end of what was needed to the beginning of what needed it, of the active bar both ways. */
export function Links({ layout, active, scale }: { layout: Layout; active: string; scale: Scale }): ReactNode {
  const places = new Map<string, { bar: Bar; y: number }>()
  for (const lane of layout.lanes) for (const one of lane.bars) places.set(one.bar.id, { bar: one.bar, y: middleOf(lane, one, layout.rowHeight) })
  const pairs: [string, string][] = []
  for (const { bar } of places.values()) for (const need of bar.needs) if (bar.id === active || need === active) pairs.push([need, bar.id])
  const x = (at: number): number => scale.share(at) * 1000
  return (
    <svg className={css.links} aria-hidden="true" viewBox={`0 0 1000 ${layout.height}`} preserveAspectRatio="none" height={layout.height}>
      {pairs.map(([from, to]) => {
        const [start, end] = [places.get(from), places.get(to)]
        if (!start || !end) return null
        const [x1, x2] = [x(start.bar.to ?? scale.now), x(end.bar.from)]
        return <path key={`${from} ${to}`} d={`M${x1} ${start.y}C${x1 + 20} ${start.y} ${x2 - 20} ${end.y} ${x2} ${end.y}`} />
      })}
    </svg>
  )
}
