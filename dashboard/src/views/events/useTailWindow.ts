/** The part of the list that is seen: at its end it follows; whoever scrolls up holds the list, and whoever comes down again lets it go on. */
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react'
import type { Tape, TapeView } from './tape'

interface TailWindow {
  box: RefObject<HTMLDivElement | null>
  onScroll: () => void
  isFollowing: boolean
  /** px, of a row. */
  row: number
  /** Index of the first line that is made, and how many. */
  from: number
  many: number
  /** Index of the last line that is wholly seen. */
  bottom: number
  /** Lines on a page. */
  page: number
  reveal: (index: number) => void
}

/** Rows beyond the window that are made, on each side. */
const BEYOND = 8
const WIDE = '(min-width: 721px)'
/** px, of a row on one line and on two. */
const ROW = 28
const ROW_TALL = 48
/** Rows from the end that still count as the end. */
const NEAR = 1.5

export function useTailWindow(tape: Tape, view: TapeView): TailWindow {
  const { lines, mode, held, speed, beginning, canMore, isReading } = view
  const box = useRef<HTMLDivElement>(null)
  const row = useRowHeight()
  const [{ top, height }, setPlace] = useState({ top: 0, height: 600 })
  const isFollowing = mode === 'live' ? !held : speed > 0
  const first = lines[0]?.seq
  const before = useRef<{ first: number | undefined; beginning: number }>({ first: undefined, beginning })

  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const { first: was, beginning: begun } = before.current
    if (isFollowing) element.scrollTop = element.scrollHeight
    else if (begun !== beginning) element.scrollTop = 0
    // What went at the top must not move what is read.
    else if (was !== undefined && first !== undefined && first > was) element.scrollTop -= Math.min(lines.length, first - was) * row
    before.current = { first, beginning }
  }, [lines, isFollowing, first, row, beginning])
  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver(() => setPlace({ top: element.scrollTop, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const onScroll = (): void => {
    const element = box.current
    if (!element) return
    setPlace({ top: element.scrollTop, height: element.clientHeight })
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < row * NEAR
    if (isFollowing && !isAtEnd) tape.hold('read')
    else if (mode === 'live' && isAtEnd && held === 'read') tape.release()
    else if (mode === 'past' && isAtEnd && speed === 0 && canMore && !isReading && element.scrollTop > 0) tape.more()
  }
  const many = Math.ceil(height / row) + 2 * BEYOND
  return {
    box,
    onScroll,
    isFollowing,
    row,
    from: isFollowing ? Math.max(0, lines.length - many + BEYOND) : Math.max(0, Math.floor(top / row) - BEYOND),
    many,
    bottom: Math.min(lines.length - 1, Math.floor((top + height) / row) - 1),
    page: Math.max(1, Math.floor(height / row) - 1),
    reveal(index) {
      const element = box.current
      if (!element) return
      if (index * row < element.scrollTop) element.scrollTop = index * row
      else if ((index + 1) * row > element.scrollTop + element.clientHeight) element.scrollTop = (index + 1) * row - element.clientHeight
    },
  }
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
