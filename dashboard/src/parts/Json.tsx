import { useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { Copy } from './Copy'
import { grown, openTo, pathsWith, rowsOf, type JsonRow, type Opened } from './jsonRows'
import { shown } from './Said'
import css from './Json.module.css'

interface Told {
  value: unknown
  /** Of the value, before it. */
  name?: string
  /** Of the tree, for who does not see it. */
  label?: string
}

/** Rows from which on a search is offered. */
const WORTH = 12
/** Characters of a text that are shown, and of what is shown of it when more is asked for. */
const TEXT = 2000
const LONG_TEXT = 100_000
const DEEPEST_INDENT = 16

/**
 * Any JSON, as a tree that opens where it is looked at. What is not open is not made, however large or deep. Arrows go through it, Right
 * and Left open and close; `/` searches.
 */
export function Json({ value, name, label = name ?? 'JSON' }: Told): ReactNode {
  const [opened, setOpened] = useState<Opened>({ closed: new Set(), open: new Set(), more: new Map() })
  const [active, setActive] = useState('')
  const [sought, setSought] = useState('')
  const [isWhole, setWhole] = useState<ReadonlySet<string>>(new Set())
  const id = useId()
  const tree = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const rows = useMemo(() => rowsOf(value, name, opened), [value, name, opened])
  const found = useMemo(() => (sought === '' ? [] : pathsWith(value, sought)), [value, sought])
  const marked = useMemo(() => new Set(found), [found])
  const place = Math.max(0, rows.findIndex(({ path }) => path === active))
  const stop = rows[place]?.path
  const isWanted = useRef(false)
  const isContainer = typeof value === 'object' && value !== null

  // A row that was looked for may be made only now.
  useLayoutEffect(() => {
    if (isWanted.current) document.getElementById(`${id}${place}`)?.scrollIntoView({ block: 'nearest' })
    isWanted.current = false
  })

  const toggle = (row: JsonRow, to = !row.isOpen): void => {
    setActive(row.path)
    if (row.kind === 'more') setOpened((before) => grown(before, row))
    else if (row.size !== undefined && to !== row.isOpen) setOpened(({ open, closed, more }) => ({ more, open: changed(open, row.path, to), closed: changed(closed, row.path, !to) }))
    else if (row.text !== undefined && row.text.length > TEXT) setWhole((before) => changed(before, row.path, !before.has(row.path)))
  }
  const go = (path: string | undefined): void => {
    if (path === undefined) return
    setActive(path)
    isWanted.current = true
  }
  const key = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const at = place
    const row = rows[at]
    if (!row) return
    const parent = rows.slice(0, at).findLast(({ level }) => level < row.level)
    switch (event.key) {
      case 'ArrowDown': go(rows[at + 1]?.path); break
      case 'ArrowUp': go(rows[at - 1]?.path); break
      case 'Home': go(rows[0]?.path); break
      case 'End': go(rows.at(-1)?.path); break
      case 'ArrowRight': if (row.size && !row.isOpen) toggle(row, true); else if (row.isOpen) go(rows[at + 1]?.path); break
      case 'ArrowLeft': if (row.isOpen) toggle(row, false); else go(parent?.path); break
      case 'Enter': case ' ': toggle(row); break
      case '/': if (!field.current) return; field.current.focus(); break
      default: return
    }
    event.preventDefault()
  }
  const seek = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && sought !== '') {
      event.preventDefault()
      setSought('')
      return tree.current?.focus()
    }
    if (event.key !== 'Enter' || found.length === 0) return
    event.preventDefault()
    const at = found.indexOf(stop ?? '')
    const path = found[(at + (event.shiftKey ? found.length - 1 : 1)) % found.length] ?? found[0]!
    setOpened((before) => openTo(before, value, path))
    go(path)
  }
  return (
    <div className={css.json}>
      {isContainer && (
        <div className={css.tools}>
          {(rows.length >= WORTH || sought !== '' || rows.some(({ size, isOpen }) => size && !isOpen)) && (
            <input ref={field} type="search" aria-label={`Search in ${shown(label, 60)}`} placeholder="Search, Enter for the next" value={sought} onChange={(event) => setSought(event.target.value)} onKeyDown={seek} />
          )}
          {sought !== '' && <span role="status" className={css.found}>{found.length === 0 ? 'not found' : `${Math.max(0, found.indexOf(stop ?? '')) + 1} of ${found.length}`}</span>}
          <Copy what={stop === undefined || stop === '' ? 'JSON' : 'selected'} text={() => textOf(rows.find(({ path }) => path === stop)?.value ?? value)} />
        </div>
      )}
      <div ref={tree} role="tree" aria-label={shown(label, 100)} tabIndex={0} aria-activedescendant={`${id}${place}`} className={css.tree} onKeyDown={key}>
        {rows.map((row, index) => (
          <div
            key={row.path} id={`${id}${index}`} role="treeitem" aria-level={row.level} aria-selected={index === place} {...(row.size !== undefined && row.size > 0 && { 'aria-expanded': row.isOpen })}
            className={css.row} data-found={marked.has(row.path) || undefined} style={{ paddingInlineStart: `${Math.min(row.level - 1, DEEPEST_INDENT) * 1.1 + 1}em` }} onClick={() => toggle(row)}
          >
            {row.size !== undefined && row.size > 0 && <span aria-hidden="true" className={css.sign}>{row.isOpen ? '▾' : '▸'}</span>}
            {row.name !== undefined && <bdi className={css.key}>{shown(row.name, 200)}: </bdi>}
            <Value row={row} isWhole={isWhole.has(row.path)} />
          </div>
        ))}
      </div>
    </div>
  )
}

function Value({ row, isWhole }: { row: JsonRow; isWhole: boolean }): ReactNode {
  if (row.kind === 'more') return <span className={css.more}>{row.size?.toLocaleString('en')} more</span>
  if (row.size !== undefined) return <span className={css.size}>{row.kind === 'list' ? `[${row.size}]` : `{${row.size}}`}</span>
  const text = row.text ?? String(row.value)
  const left = text.length - TEXT
  return (
    <>
      <bdi className={`said ${css[row.kind] ?? ''}`}>{row.kind === 'string' ? `"${shown(text, isWhole ? LONG_TEXT : TEXT)}"` : shown(text)}</bdi>
      {left > 0 && <span className={css.more}> {isWhole ? 'less' : `${left.toLocaleString('en')} characters more`}{isWhole && text.length > LONG_TEXT && `; ${(text.length - LONG_TEXT).toLocaleString('en')} only by copying`}</span>}
    </>
  )
}

function changed(set: ReadonlySet<string>, path: string, isIn: boolean): Set<string> {
  const next = new Set(set)
  if (isIn) next.add(path)
  else next.delete(path)
  return next
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')
}
