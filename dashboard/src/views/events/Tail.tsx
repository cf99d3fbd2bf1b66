import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { counted } from '../../parts/figures'
import { TailRow } from './TailRow'
import type { Tape, TapeView } from './tape'
import type { EventLine } from './roll'
import css from './events.module.css'

interface Tailed {
  tape: Tape
  view: TapeView
  /** `seq` of the line that is looked at. */
  selected: number | undefined
  onOpen: (line: EventLine) => void
  /** What is said where there are no lines. */
  children: ReactNode
}

/** Rows beyond the window that are made, on each side. */
const BEYOND = 8
const WIDE = '(min-width: 721px)'
/** px, of a row on one line and on two. */
const ROW = 28
const ROW_TALL = 48

/**
 * Lines in a window of its own, only those made that are seen. At the bottom it follows; whoever scrolls up holds the list, and whoever
 * comes down again lets it go on. All rows are of one height, so that nothing has to be measured.
 */
export function Tail({ tape, view, selected, onOpen, children }: Tailed): ReactNode {
  const { lines, mode, held, waiting, speed, beginning } = view
  const box = useRef<HTMLDivElement>(null)
  const id = useId()
  const row = useRowHeight()
  const [{ top, height }, setPlace] = useState({ top: 0, height: 600 })
  const [active, setActive] = useState<number>()
  const isFollowing = mode === 'live' ? !held : speed > 0
  const first = lines[0]?.seq
  const before = useRef<number>(undefined)

  useLayoutEffect(() => {
    if (box.current && !isFollowing) box.current.scrollTop = 0
    before.current = undefined
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [beginning])
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    if (isFollowing) element.scrollTop = element.scrollHeight
    // What went at the top must not move what is read.
    else if (before.current !== undefined && first !== undefined && first > before.current) element.scrollTop -= Math.min(lines.length, first - before.current) * row
    before.current = first
  }, [lines, isFollowing, first, row])
  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver(() => setPlace({ top: element.scrollTop, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const scrolled = (): void => {
    const element = box.current
    if (!element) return
    setPlace({ top: element.scrollTop, height: element.clientHeight })
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < row * 1.5
    if (mode === 'live' && !isAtEnd && isFollowing) tape.hold('read')
    else if (mode === 'live' && isAtEnd && held === 'read') tape.release()
    else if (mode === 'past' && !isAtEnd && speed > 0) tape.hold('read')
    else if (mode === 'past' && isAtEnd && speed === 0 && view.canMore && !view.isReading && element.scrollTop > 0) tape.more()
  }
  const at = active === undefined ? -1 : lines.findIndex(({ seq }) => seq === active)
  const move = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== event.currentTarget) return
    const page = Math.max(1, Math.floor(height / row) - 1)
    const bottom = Math.min(lines.length - 1, Math.floor((top + height) / row) - 1)
    const to = goal(event.key, at < 0 ? bottom : at, page, lines.length)
    const line = lines[to ?? at]
    if (to === undefined && (event.key === 'Enter' || event.key === ' ') && line?.kind === 'event') onOpen(line)
    else if (to === undefined || !line) return
    else {
      if (isFollowing && to < lines.length - 1) tape.hold('read')
      else if (held === 'read' && to === lines.length - 1) tape.release()
      setActive(line.seq)
      reveal(box.current, to, row)
    }
    event.preventDefault()
  }
  const from = isFollowing ? Math.max(0, lines.length - Math.ceil(height / row) - BEYOND) : Math.max(0, Math.floor(top / row) - BEYOND)
  const seen = lines.slice(from, from + Math.ceil(height / row) + 2 * BEYOND)
  const isActiveSeen = at >= from && at < from + seen.length
  return (
    <div className={css.tail}>
      <div className={css.columns} aria-hidden="true"><span>Time</span><span>Type</span><span>Topic</span><span>Source</span><span>What</span></div>
      <div
        ref={box} className={css.window} role="listbox" aria-label="Events, the newest last" tabIndex={0} onScroll={scrolled} onKeyDown={move}
        {...(isActiveSeen && { 'aria-activedescendant': `${id}-${active}` })}
      >
        <div className={css.lines} role="presentation" style={{ height: lines.length * row }}>
          {seen.map((line, index) => (
            <TailRow
              key={line.seq} id={`${id}-${line.seq}`} line={line} top={(from + index) * row} height={row} position={from + index + 1} size={lines.length}
              isActive={line.seq === active} isSelected={line.seq === selected} tape={tape} onOpen={onOpen} onActive={setActive}
            />
          ))}
        </div>
      </div>
      {lines.length === 0 && <div className={css.nothing}>{children}</div>}
      {held && waiting > 0 && <button type="button" className={`primary ${css.more}`} onClick={() => tape.release()}>{counted(waiting, 'new event')} <span aria-hidden="true">↓</span></button>}
      {mode === 'past' && speed === 0 && lines.length > 0 && view.canMore && <button type="button" className={css.more} onClick={() => tape.more()}>Show what follows</button>}
    </div>
  )
}

function goal(key: string, at: number, page: number, length: number): number | undefined {
  const steps: Readonly<Record<string, number>> = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - page, PageDown: at + page, Home: 0, End: length - 1 }
  return Object.hasOwn(steps, key) ? Math.max(0, Math.min(length - 1, steps[key]!)) : undefined
}

function reveal(element: HTMLElement | null, index: number, row: number): void {
  if (!element) return
  if (index * row < element.scrollTop) element.scrollTop = index * row
  else if ((index + 1) * row > element.scrollTop + element.clientHeight) element.scrollTop = (index + 1) * row - element.clientHeight
}

function useRowHeight(): number {
  const [isWide, setWide] = useState(() => window.matchMedia(WIDE).matches)
  useEffect(() => {
    const query = window.matchMedia(WIDE)
    const look = (): void => setWide(query.matches)
    query.addEventListener('change', look)
    return () => query.removeEventListener('change', look)
  }, [])
  return isWide ? ROW : ROW_TALL
}
