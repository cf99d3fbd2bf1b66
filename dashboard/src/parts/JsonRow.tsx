import type { ReactNode } from 'react'
import type { JsonLine } from './jsonRows'
import { shown } from './Said'
import { TEXT } from './useJsonTree'
import css from './Json.module.css'

interface Row {
  id: string
  row: JsonLine
  isActive: boolean
  isFound: boolean
  /** Its text was asked for whole. */
  isWhole: boolean
  onToggle: (row: JsonLine) => void
}

/** Characters of a text that was asked for whole. */
const LONG_TEXT = 100_000
const DEEPEST_INDENT = 16

export function JsonRow({ id, row, isActive, isFound, isWhole, onToggle }: Row): ReactNode {
  const isContainer = row.size !== undefined && row.size > 0 && row.kind !== 'more'
  return (
    <div
      id={id} role="treeitem" aria-level={row.level} aria-selected={isActive} {...(isContainer && { 'aria-expanded': row.isOpen })}
      className={css.row} data-found={isFound || undefined} style={{ paddingInlineStart: `${Math.min(row.level - 1, DEEPEST_INDENT) * 1.1 + 1}em` }} onClick={() => onToggle(row)}
    >
      {isContainer && <span aria-hidden="true" className={css.sign}>{row.isOpen ? '▾' : '▸'}</span>}
      {row.name !== undefined && <bdi className={css.key}>{shown(row.name, 200)}: </bdi>}
      <Value row={row} isWhole={isWhole} />
    </div>
  )
}

function Value({ row, isWhole }: Pick<Row, 'row' | 'isWhole'>): ReactNode {
  if (row.kind === 'more') return <span className={css.more}>{row.size?.toLocaleString('en')} more</span>
  if (row.size !== undefined) return <span className={css.size}>{row.kind === 'list' ? `[${row.size}]` : `{${row.size}}`}</span>
  const { text } = row
  if (text === undefined) return <bdi className={`said ${css[row.kind] ?? ''}`}>{String(row.value)}</bdi>
  const left = text.length - TEXT
  return (
    <>
      <bdi className={`said ${css['string'] ?? ''}`}>"{shown(text, isWhole ? LONG_TEXT : TEXT)}"</bdi>
      {left > 0 && <span className={css.more}> {isWhole ? 'less' : `${left.toLocaleString('en')} characters more`}</span>}
      {isWhole && text.length > LONG_TEXT && <span className={css.size}> {(text.length - LONG_TEXT).toLocaleString('en')} characters are only to be had by copying</span>}
    </>
  )
}
