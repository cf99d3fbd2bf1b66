/** Moving through the rows of a virtual list by keys: rows that are not drawn yet are drawn first. */
import type { KeyboardEvent } from 'react'

/** Frames until a row that was scrolled to must be there. */
const MOST_FRAMES = 20

interface Rows {
  count: number
  scrollTo: (index: number) => void
}

/** For `onKeyDown` of what holds elements with `data-index`; the first link or button of a row takes the focus. */
export function moveByKey(event: KeyboardEvent<HTMLElement>, { count, scrollTo }: Rows): void {
  const from = (event.target as HTMLElement).closest<HTMLElement>('[data-index]')
  if (!from || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
  const index = Number(from.dataset['index'])
  const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / Math.max(1, from.offsetHeight)) - 1)
  const wanted = { ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: count - 1 }[event.key]
  if (wanted === undefined || count === 0) return
  event.preventDefault()
  const next = Math.min(count - 1, Math.max(0, wanted))
  scrollTo(next)
  focusRow(event.currentTarget, next, MOST_FRAMES)
}

function focusRow(within: HTMLElement, index: number, frames: number): void {
  const row = within.querySelector<HTMLElement>(`[data-index="${index}"]`)
  const target = row?.querySelector<HTMLElement>('a, button')
  if (target) target.focus({ preventScroll: true })
  else if (frames > 0) requestAnimationFrame(() => focusRow(within, index, frames - 1))
}
