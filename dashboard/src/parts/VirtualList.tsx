import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef, type ReactNode } from 'react'
import { moveByKey } from './rows'
import css from './VirtualList.module.css'

interface Listed<T> {
  label: string
  items: readonly T[]
  keyOf: (item: T) => string
  children: (item: T) => ReactNode
  /** px, of an item that was not measured yet. */
  estimate: number
  /** Whether new items at the end are scrolled to; told by `onFollow` when the reader scrolls away from the end, or back. */
  follow?: boolean
  onFollow?: (follow: boolean) => void
  className?: string
}

const NEAR_END_PX = 24

/** A list of any length, of which what is in sight is made. Items measure themselves; arrow keys, Home and End move from one to the next. */
export function VirtualList<T>({ label, items, keyOf, children, estimate, follow = false, onFollow, className }: Listed<T>): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => estimate,
    getItemKey: (index) => keyOf(items[index]!),
    overscan: 6,
    useFlushSync: false,
  })
  const followed = useRef(follow)
  useEffect(() => {
    followed.current = follow
  }, [follow])
  const total = virtual.getTotalSize()
  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [follow, total])
  const look = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX
    if (isAtEnd !== followed.current) onFollow?.(isAtEnd)
  }
  return (
    <div
      ref={box} className={`${css.box} ${className ?? ''}`} onScroll={onFollow && look}
      onKeyDown={(event) => moveByKey(event, { count: items.length, scrollTo: (index) => virtual.scrollToIndex(index, { align: 'auto' }) })}
      // Without anything to focus in it, it could not be scrolled by keys.
      tabIndex={onFollow ? 0 : undefined} role={onFollow ? 'region' : undefined} aria-label={onFollow ? label : undefined}
    >
      <div role="list" aria-label={label} className={css.items} style={{ height: total }}>
        {virtual.getVirtualItems().map(({ key, index, start }) => (
          <div key={key} role="listitem" aria-setsize={items.length} aria-posinset={index + 1} data-index={index} ref={virtual.measureElement} className={css.item} style={{ transform: `translateY(${start}px)` }}>
            {children(items[index]!)}
          </div>
        ))}
      </div>
    </div>
  )
}
