import { useCallback, useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from 'react'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import css from './VirtualGrid.module.css'

interface Grid<T> {
  items: readonly T[]
  keyOf: (item: T) => string
  /** A card. What Tab reaches in it has the `tabIndex`; arrow keys bring the focus to its first such link or button. Memoise what it makes. */
  children: (item: T, tabIndex: 0 | -1) => ReactNode
  label: string
  /** Of a column, px. */
  minWidth: number
  /** Of a row before it is measured, px. */
  rowHeight: number
  /** Cards in a row at most. */
  mostColumns?: number
}

const GAP = 12
const OVERSCAN = 3
/** Of the bar over the page, px: cards must not hide below it. */
const TOP = 64
const STOP = 'a[href], button'

/**
 * Cards in as many columns as fit; of any number only those near the window are made. The page scrolls, not a box of its own. One stop
 * for Tab; from there arrows, Home and End go from card to card.
 */
export function VirtualGrid<T>({ items, keyOf, children, label, minWidth, rowHeight, mostColumns = 12 }: Grid<T>): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  const { width, top } = usePlace(box)
  const columns = Math.max(1, Math.min(mostColumns, Math.floor((width + GAP) / (minWidth + GAP))))
  const virtualizer = useWindowVirtualizer({
    count: Math.ceil(items.length / columns), estimateSize: () => rowHeight, overscan: OVERSCAN, gap: GAP, scrollMargin: top, scrollPaddingStart: TOP, useFlushSync: false,
  })
  useEffect(() => virtualizer.measure(), [virtualizer, rowHeight, columns])
  const rows = virtualizer.getVirtualItems()
  const shown = rows.flatMap(({ index }) => items.slice(index * columns, (index + 1) * columns))
  const [current, setCurrent] = useState<string>()
  // There is always a card that Tab reaches, also when the last one went out of sight.
  const stop = shown.some((item) => keyOf(item) === current) ? current : shown[0] && keyOf(shown[0])
  const wanted = useRef<string>(undefined)

  useLayoutEffect(() => {
    if (wanted.current === undefined) return
    const element = box.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(wanted.current)}"]`)?.querySelector<HTMLElement>(STOP)
    // It may be made only after the page has scrolled.
    if (!element) return
    wanted.current = undefined
    element.focus({ preventScroll: true })
  })

  const move = (event: KeyboardEvent): void => {
    const from = items.findIndex((item) => keyOf(item) === stop)
    const to = target(event.key, from, columns, items.length)
    const item = to === undefined ? undefined : items[to]
    if (to === undefined || item === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    wanted.current = keyOf(item)
    setCurrent(wanted.current)
    virtualizer.scrollToIndex(Math.floor(to / columns), { align: 'auto' })
  }

  return (
    <div ref={box} role="list" aria-label={label} className={css.grid} style={{ height: virtualizer.getTotalSize() }} onKeyDown={move} onFocus={(event) => {
      const key = event.target.closest<HTMLElement>('[data-key]')?.dataset['key']
      if (key !== undefined) setCurrent(key)
    }}>
      {width > 0 && rows.map((row) => (
        <div key={row.key} role="presentation" ref={virtualizer.measureElement} data-index={row.index} className={css.row} style={{ transform: `translateY(${row.start - top}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
          {items.slice(row.index * columns, (row.index + 1) * columns).map((item, column) => {
            const key = keyOf(item)
            return (
              <div key={key} role="listitem" data-key={key} aria-setsize={items.length} aria-posinset={row.index * columns + column + 1} className={css.cell}>
                {children(item, key === stop ? 0 : -1)}
              </div>
            )
          })}
        </div>
      ))}
    </div>
  )
}

function target(key: string, from: number, columns: number, length: number): number | undefined {
  switch (key) {
    case 'ArrowRight':
      return Math.min(length - 1, from + 1)
    case 'ArrowLeft':
      return Math.max(0, from - 1)
    case 'ArrowDown':
      return from + columns < length ? from + columns : undefined
    case 'ArrowUp':
      return from - columns >= 0 ? from - columns : undefined
    case 'Home':
      return 0
    case 'End':
      return length - 1
    default:
      return undefined
  }
}

/** Width of the box, and its distance from the page's top, px: what is above it grows and shrinks. */
function usePlace(box: RefObject<HTMLDivElement | null>): { width: number; top: number } {
  const [place, setPlace] = useState({ width: 0, top: 0 })
  const look = useCallback((): void => {
    if (!box.current) return
    const rect = box.current.getBoundingClientRect()
    const width = Math.round(rect.width)
    const top = Math.round(rect.top + window.scrollY)
    setPlace((before) => (before.width === width && before.top === top ? before : { width, top }))
  }, [box])
  useLayoutEffect(() => {
    look()
    // What is put in above makes the page longer. To look with each rendering would have it laid out twice.
    const observer = new ResizeObserver(look)
    if (box.current) observer.observe(box.current)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [box, look])
  return place
}
