/**
 * Lanes of bars over time, up to now. One stop for Tab: arrow keys go from bar to bar, Enter opens one, + and - zoom, 0 fits all in. What a bar
 * needed, and what needed it, is drawn while it has the focus or the pointer.
 */
import { useCallback, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { duration } from './Ago'
import { shown } from './Said'
import { beginOf, layOut, ticks, type Bar, type Lane, type Layout, type Mark } from './lanes'
import { Links, TimelineLane, type Scale } from './TimelineLane'
import css from './Timeline.module.css'
import tones from './parts.module.css'

interface Drawn {
  label: string
  lanes: readonly Lane[]
  /** On a lane of their own, above all others. */
  marks?: readonly Mark[]
  marksName?: string
  /** ms since the epoch: the end of what still lasts. */
  now: number
  /** Whether anything still lasts: then the line of now is drawn, and moves. */
  isOpen: boolean
}

const ZOOM_MOST = 64
/** Of the whole, what a bar is at least counted for when rows are filled: it has to be seen. */
const LEAST_SHARE = 0.006
const TICKS = 6

export function Timeline({ label, lanes, marks = [], marksName = 'Steps', now, isOpen }: Drawn): ReactNode {
  const [zoom, setZoom] = useState(1)
  const [active, setActive] = useState<string>()
  const box = useRef<HTMLDivElement>(null)
  const first = useMemo(() => firstOf(lanes, marks), [lanes, marks])
  const scale = useMemo(() => scaleOf(first, lastOf(lanes, marks, now, isOpen), now), [first, lanes, marks, now, isOpen])
  const layout = useLayout(lanes, (scale.to - scale.from) / zoom)
  useKeptCentre(box, zoom)
  const byId = useMemo(() => new Map(lanes.flatMap(({ bars }) => bars).map((bar) => [bar.id, bar])), [lanes])
  const order = useMemo(() => layout.lanes.flatMap(({ bars }) => bars).map(({ bar }) => bar.id), [layout])
  const related = useMemo(() => relatedTo(active, lanes), [active, lanes])
  const stop = active !== undefined && byId.has(active) ? active : order[0]
  const keys = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    const next = step === undefined ? undefined : order[order.indexOf(stop ?? '') + step]
    const change = { '+': 2, '=': 2, '-': 0.5 }[event.key]
    if (event.key === '0') setZoom(1)
    else if (event.key === 'Escape') setActive(undefined)
    else if (change !== undefined) setZoom(clamped(zoom * change))
    else if (next !== undefined) box.current?.querySelector<HTMLElement>(`[data-bar="${CSS.escape(next)}"]`)?.focus()
    else return
    event.preventDefault()
  }
  return (
    <div className={css.timeline}>
      <div className={css.tools}>
        <Readout bar={active === undefined ? undefined : byId.get(active)} byId={byId} now={now} />
        <span className={css.zoom}>
          <button type="button" aria-label="Zoom out" disabled={zoom <= 1} onClick={() => setZoom(clamped(zoom / 2))}>−</button>
          <button type="button" aria-label="Zoom in" disabled={zoom >= ZOOM_MOST} onClick={() => setZoom(clamped(zoom * 2))}>+</button>
          <button type="button" disabled={zoom === 1} onClick={() => setZoom(1)}>Fit</button>
        </span>
      </div>
      <div ref={box} className={css.box} role="group" aria-label={label} onKeyDown={keys} onPointerLeave={() => setActive(undefined)}>
        <div className={css.grid} style={{ width: `${zoom * 100}%` }}>
          <Axis scale={scale} about={TICKS * zoom} />
          {marks.length > 0 && <Marks name={marksName} marks={marks} scale={scale} />}
          <div className={css.lanes} role="list">
            {layout.lanes.map((placed) => <TimelineLane key={placed.lane.id} placed={placed} rowHeight={layout.rowHeight} scale={scale} active={active} related={related} stop={stop} onActive={setActive} />)}
            {active !== undefined && <Links layout={layout} active={active} scale={scale} />}
          </div>
          {isOpen && <div className={css.now} aria-hidden="true"><span style={{ left: `${scale.share(now) * 100}%` }} /></div>}
        </div>
      </div>
    </div>
  )
}

function Readout({ bar, byId, now }: { bar: Bar | undefined; byId: ReadonlyMap<string, Bar>; now: number }): ReactNode {
  if (!bar) return <p className={css.readout}>Arrow keys, or the pointer, show one by one.</p>
  const lost = bar.lost.length > 0 ? `, ${bar.lost.length} ${bar.lost.length === 1 ? 'try' : 'tries'} lost` : ''
  const needs = bar.needs.length > 0 ? `; needs ${bar.needs.slice(0, 3).map((id) => shown(byId.get(id)?.label ?? id, 40)).join(', ')}${bar.needs.length > 3 ? ` and ${bar.needs.length - 3} more` : ''}` : ''
  return (
    <p className={css.readout}>
      <strong><bdi>{shown(bar.label, 80)}</bdi></strong> {shown(bar.status, 40).replaceAll('_', ' ')}, {new Date(bar.from).toLocaleTimeString()}, {duration((bar.to ?? now) - bar.from)}{bar.to === undefined && ' so far'}{lost}{needs}
    </p>
  )
}

function Axis({ scale, about }: { scale: Scale; about: number }): ReactNode {
  return (
    <div className={css.axis} aria-hidden="true">
      <div>{ticks(scale.from, scale.to, about).map(({ at, label }) => <span key={at} style={{ left: `${scale.share(at) * 100}%` }}>{label}</span>)}</div>
    </div>
  )
}

function Marks({ name, marks, scale }: { name: string; marks: readonly Mark[]; scale: Scale }): ReactNode {
  return (
    <div className={css.marks}>
      <div className={css.name}>{name} <small>{marks.length}</small></div>
      <ol>
        {marks.map(({ at, label, tone }, index) => (
          <li key={`${at} ${index}`} className={tones[tone]} style={{ left: `${scale.share(at) * 100}%` }} title={`${shown(label, 200)}, ${new Date(at).toLocaleTimeString()}`}>
            <span className="sr-only">{shown(label, 200)}</span>
          </li>
        ))}
      </ol>
    </div>
  )
}

/** Rows are filled anew when the span is another by a tenth, not with every second: bars would jump. */
function useLayout(lanes: readonly Lane[], span: number): Layout {
  const rough = 1.1 ** Math.round(Math.log(Math.max(1, span)) / Math.log(1.1))
  return useMemo(() => layOut(lanes, rough * LEAST_SHARE), [lanes, rough])
}

/** What stood in the middle stays there. */
function useKeptCentre(box: { readonly current: HTMLDivElement | null }, zoom: number): void {
  const before = useRef(zoom)
  const keep = useCallback(() => {
    const element = box.current
    const factor = zoom / before.current
    before.current = zoom
    if (element && factor !== 1) element.scrollLeft = (element.scrollLeft + element.clientWidth / 2) * factor - element.clientWidth / 2
  }, [box, zoom])
  useLayoutEffect(keep, [keep])
}

/** The bar, what it needs and what needs it; undefined while none is looked at. */
function relatedTo(active: string | undefined, lanes: readonly Lane[]): ReadonlySet<string> | undefined {
  if (active === undefined) return undefined
  const bars = lanes.flatMap((lane) => lane.bars)
  const needs = bars.find(({ id }) => id === active)?.needs ?? []
  return new Set([active, ...needs, ...bars.filter((bar) => bar.needs.includes(active)).map(({ id }) => id)])
}

function clamped(zoom: number): number {
  return Math.min(ZOOM_MOST, Math.max(1, zoom))
}

function firstOf(lanes: readonly Lane[], marks: readonly Mark[]): number {
  let first = Infinity
  for (const { bars } of lanes) for (const bar of bars) first = Math.min(first, beginOf(bar))
  for (const { at } of marks) first = Math.min(first, at)
  return first
}

function lastOf(lanes: readonly Lane[], marks: readonly Mark[], now: number, isOpen: boolean): number {
  let last = isOpen ? now : -Infinity
  for (const { bars } of lanes) for (const { from, to } of bars) last = Math.max(last, to ?? now, from)
  for (const { at } of marks) last = Math.max(last, at)
  return last
}

function scaleOf(first: number, last: number, now: number): Scale {
  // A little air on both sides; a moment alone is a minute wide.
  const from = Number.isFinite(first) ? first : last - 60_000
  const span = Math.max(1000, last - from)
  const start = from - span * 0.01
  const end = from + span * 1.02
  return { from: start, to: end, now, share: (at) => Math.min(1, Math.max(0, (at - start) / (end - start))) }
}
