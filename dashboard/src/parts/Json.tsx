import { useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { Copy } from './Copy'
import { JsonRow } from './JsonRow'
import { pathsWith } from './jsonRows'
import { shown } from './Said'
import { useJsonTree } from './useJsonTree'
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

/**
 * Any JSON, as a tree that opens where it is looked at. What is not open is not made, however large or deep. Arrows go through it, Right
 * and Left open and close; `/` searches.
 */
export function Json({ value, name, label = name ?? 'JSON' }: Told): ReactNode {
  const id = useId()
  const { rows, place, go, toggle, isWhole, key } = useJsonTree(value, name, id)
  const [sought, setSought] = useState('')
  const found = useMemo(() => (sought === '' ? [] : pathsWith(value, sought)), [value, sought])
  const marked = useMemo(() => new Set(found), [found])
  const tree = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const row = rows[place]!
  const isContainer = typeof value === 'object' && value !== null
  const isWorth = rows.length >= WORTH || sought !== '' || rows.some(({ size, isOpen, kind }) => size && !isOpen && kind !== 'more')

  const seek = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && sought !== '') {
      event.preventDefault()
      setSought('')
      tree.current?.focus()
    } else if (event.key === 'Enter' && found.length > 0) {
      event.preventDefault()
      const at = found.indexOf(row.path)
      const next = at < 0 ? 0 : (at + (event.shiftKey ? found.length - 1 : 1)) % found.length
      go(found[next]!)
    }
  }
  const press = (event: KeyboardEvent): void => {
    if (event.key !== '/' || !field.current) return key(event)
    event.preventDefault()
    field.current.focus()
  }
  return (
    <div className={css.json}>
      {isContainer && (
        <div className={css.tools}>
          {isWorth && <input ref={field} type="search" aria-label={`Search in ${shown(label, 60)}`} placeholder="Search, Enter for the next" value={sought} onChange={(event) => setSought(event.target.value)} onKeyDown={seek} />}
          {sought !== '' && <span role="status" className={css.found}>{found.length === 0 ? 'not found' : marked.has(row.path) ? `${found.indexOf(row.path) + 1} of ${found.length}` : `${found.length} found`}</span>}
          <Copy what={row.path === '' ? 'JSON' : 'selected'} text={() => textOf(row.kind === 'more' ? value : row.value)} />
        </div>
      )}
      <div ref={tree} role="tree" aria-label={shown(label, 100)} tabIndex={0} aria-activedescendant={`${id}${place}`} className={css.tree} onKeyDown={press}>
        {rows.map((one, index) => <JsonRow key={one.path} id={`${id}${index}`} row={one} isActive={index === place} isFound={marked.has(one.path)} isWhole={isWhole.has(one.path)} onToggle={toggle} />)}
      </div>
    </div>
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')
}
