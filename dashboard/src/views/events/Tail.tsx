import { useId, useState, type KeyboardEvent, type ReactNode } from 'react'
import { counted } from '../../parts/figures'
import { TailRow } from './TailRow'
import type { Tape, TapeView } from './tape'
import type { EventLine } from './roll'
import { useTailWindow } from './useTailWindow'
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

/** Lines in a window of its own, only those made that are seen. All are of one height, so that nothing has to be measured. */
export function Tail({ tape, view, selected, onOpen, children }: Tailed): ReactNode {
  const { lines, mode, held, waiting, speed, canMore } = view
  const { box, onScroll, isFollowing, row, from, many, bottom, page, reveal } = useTailWindow(tape, view)
  const [active, setActive] = useState<number>()
  const id = useId()
  const at = active === undefined ? -1 : lines.findIndex(({ seq }) => seq === active)
  const move = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== event.currentTarget) return
    const to = goal(event.key, at < 0 ? bottom : at, page, lines.length)
    const line = lines[to ?? at]
    if (!line || (to === undefined && event.key !== 'Enter' && event.key !== ' ')) return
    event.preventDefault()
    if (to === undefined) {
      if (line.kind === 'event') onOpen(line)
      return
    }
    if (isFollowing && to < lines.length - 1) tape.hold('read')
    else if (held === 'read' && to === lines.length - 1) tape.release()
    setActive(line.seq)
    reveal(to)
  }
  const seen = lines.slice(from, from + many)
  // Numbers follow each other where none is left out: then a row that goes becomes the one that comes, which is far cheaper than another one.
  const isWhole = lines.length === view.kept
  return (
    <div className={css.tail}>
      <div className={css.columns} aria-hidden="true"><span>Time</span><span>Type</span><span>Topic</span><span>Source</span><span>What</span></div>
      <div
        ref={box} className={css.window} role="listbox" aria-label="Events, the newest last" tabIndex={0} onScroll={onScroll} onKeyDown={move}
        {...(at >= from && at < from + seen.length && { 'aria-activedescendant': `${id}-${active}` })}
      >
        <div className={css.lines} role="presentation" style={{ height: lines.length * row }}>
          {seen.map((line, index) => (
            <TailRow
              key={isWhole ? `slot ${line.seq % many}` : line.seq} id={`${id}-${line.seq}`} line={line} top={(from + index) * row} height={row} position={from + index + 1} size={lines.length}
              isActive={line.seq === active} isSelected={line.seq === selected} tape={tape} onOpen={onOpen} onActive={setActive}
            />
          ))}
        </div>
      </div>
      {lines.length === 0 && <div className={css.nothing}>{children}</div>}
      {held && waiting > 0 && <button type="button" className={`primary ${css.more}`} onClick={() => tape.release()}>{counted(waiting, 'new event')} <span aria-hidden="true">↓</span></button>}
      {mode === 'past' && speed === 0 && lines.length > 0 && canMore && <button type="button" className={css.more} onClick={() => tape.more()}>Show what follows</button>}
    </div>
  )
}

function goal(key: string, at: number, page: number, length: number): number | undefined {
  const steps: Readonly<Record<string, number>> = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - page, PageDown: at + page, Home: 0, End: length - 1 }
  return Object.hasOwn(steps, key) ? Math.max(0, Math.min(length - 1, steps[key]!)) : undefined
}
