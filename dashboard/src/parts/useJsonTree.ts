/** What is open of a JSON tree, where one stands in it, and the keys that move through it. */
import { useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { grown, openTo, rowsOf, type JsonLine, type Opened } from './jsonRows'

/** Characters of a text that are shown at first. */
export const TEXT = 2000

interface JsonTree {
  rows: readonly JsonLine[]
  /** Index of the row where one stands. */
  place: number
  /** Paths of texts that were asked for whole. */
  isWhole: ReadonlySet<string>
  /** To a path, with all opened that is above it. */
  go: (path: string) => void
  toggle: (row: JsonLine) => void
  key: (event: KeyboardEvent) => void
}

const AS_IT_IS: Opened = { open: new Set(), closed: new Set(), more: new Map() }

/** @param id of the rows, before their index */
export function useJsonTree(value: unknown, name: string | undefined, id: string): JsonTree {
  const [opened, setOpened] = useState(AS_IT_IS)
  const [active, setActive] = useState('')
  const [isWhole, setWhole] = useState<ReadonlySet<string>>(new Set())
  const rows = useMemo(() => rowsOf(value, name, opened), [value, name, opened])
  const place = Math.max(0, rows.findIndex(({ path }) => path === active))
  const isWanted = useRef(false)
  // A row that was looked for may be made only now.
  useLayoutEffect(() => {
    if (isWanted.current) document.getElementById(`${id}${place}`)?.scrollIntoView({ block: 'nearest' })
    isWanted.current = false
  })

  const stand = (path: string | undefined): void => {
    if (path === undefined) return
    setActive(path)
    isWanted.current = true
  }
  const toggle = (row: JsonLine): void => {
    setActive(row.path)
    if (row.kind === 'more') setOpened((before) => grown(before, row))
    else if (row.size !== undefined) setOpened(({ open, closed, more }) => ({ more, open: changed(open, row.path, !row.isOpen), closed: changed(closed, row.path, row.isOpen) }))
    else if (row.text !== undefined && row.text.length > TEXT) setWhole((before) => changed(before, row.path, !before.has(row.path)))
  }
  const key = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const row = rows[place]!
    const act = actionOf(event.key, row)
    if (!act) return
    event.preventDefault()
    if (act === 'toggle') toggle(row)
    else if (act === 'parent') stand(rows.slice(0, place).findLast(({ level }) => level < row.level)?.path)
    else stand(rows[{ next: place + 1, before: place - 1, first: 0, last: rows.length - 1 }[act]]?.path)
  }
  const go = (path: string): void => {
    setOpened((before) => openTo(before, value, path))
    stand(path)
  }
  return { rows, place, isWhole, go, toggle, key }
}

type Action = 'toggle' | 'parent' | 'next' | 'before' | 'first' | 'last'

/** As trees have it: Right opens, then goes in; Left closes, then goes out. */
function actionOf(key: string, { size, isOpen }: JsonLine): Action | undefined {
  switch (key) {
    case 'ArrowDown':
      return 'next'
    case 'ArrowUp':
      return 'before'
    case 'Home':
      return 'first'
    case 'End':
      return 'last'
    case 'ArrowRight':
      return isOpen ? 'next' : size ? 'toggle' : undefined
    case 'ArrowLeft':
      return isOpen ? 'toggle' : 'parent'
    case 'Enter':
    case ' ':
      return 'toggle'
    default:
      return undefined
  }
}

function changed(set: ReadonlySet<string>, path: string, isIn: boolean): Set<string> {
  const next = new Set(set)
  if (isIn) next.add(path)
  else next.delete(path)
  return next
}
