import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { memo, useMemo, useRef, type CSSProperties, type ReactNode } from 'react'
import { moveByKey } from './rows'
import css from './Table.module.css'

/** Declared outside of components: rows are drawn anew only when they, or the columns, are others than before. */
export interface Column<T> {
  name: string
  title: string
  /** Of the grid: `minmax(10rem, 2fr)`, `6rem`. */
  width: string
  cell: (row: T) => ReactNode
  /** Upwards; without it the column cannot be sorted by. */
  order?: (a: T, b: T) => number
  /** Stays when there is little room. */
  isNarrow?: boolean
  isNumber?: boolean
}

export interface Sort {
  by: string
  isDown: boolean
}

interface Tabled<T> {
  label: string
  rows: readonly T[]
  columns: readonly Column<T>[]
  keyOf: (row: T) => string
  sort?: Sort
  onSort?: (sort: Sort) => void
  /** What tests and styles know a row by: `task:42`, `completed`. */
  markOf?: (row: T) => { row: string; status: string }
  /** px */
  rowHeight?: number
}

/**
 * Rows of equal height, any number of them, of which those in sight are made. The first link of a row is its handle: arrow keys, page keys,
 * Home and End go from one to the next, and Tab through everything.
 */
export function Table<T>({ label, rows, columns, keyOf, sort, onSort, markOf, rowHeight = 40 }: Tabled<T>): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  const sorted = useMemo(() => sortedBy(rows, columns, sort), [rows, columns, sort])
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => keyOf(sorted[index]!),
    overscan: 8,
    scrollPaddingStart: rowHeight,
    useFlushSync: false,
  })
  const tracks = useMemo(() => tracksOf(columns), [columns])
  const style = { ...tracks, '--height': `${rowHeight}px` } as CSSProperties
  return (
    <div
      ref={box} role="table" aria-label={label} aria-rowcount={sorted.length + 1} aria-colcount={columns.length} className={css.table} style={style}
      onKeyDown={(event) => moveByKey(event, { count: sorted.length, scrollTo: (index) => virtual.scrollToIndex(index, { align: 'auto' }) })}
    >
      <Head columns={columns} sort={sort} onSort={onSort} />
      <Body virtual={virtual} rows={sorted} columns={columns} markOf={markOf} />
    </div>
  )
}

function Head<T>({ columns, sort, onSort }: Pick<Tabled<T>, 'columns' | 'sort' | 'onSort'>): ReactNode {
  return (
    <div role="rowgroup" className={css.head}>
      <div role="row" aria-rowindex={1} className={css.row}>
        {columns.map(({ name, title, order, isNarrow, isNumber }) => {
          const isSorted = sort?.by === name
          const direction = isSorted ? (sort.isDown ? 'descending' : 'ascending') : undefined
          return (
            <div key={name} role="columnheader" aria-sort={order && (direction ?? 'none')} className={classes(isNarrow, isNumber)}>
              {order && onSort
                ? <button type="button" onClick={() => onSort({ by: name, isDown: isSorted && !sort.isDown })}>{title}<span aria-hidden="true">{direction ? (sort?.isDown ? ' ↓' : ' ↑') : ''}</span></button>
                : title}
            </div>
          )
        })}
      </div>
    </div>
  )
}

interface Drawn<T> extends Pick<Tabled<T>, 'rows' | 'columns' | 'markOf'> {
  virtual: Virtualizer<HTMLDivElement, Element>
}

function Body<T>({ virtual, rows, columns, markOf }: Drawn<T>): ReactNode {
  return (
    <div role="rowgroup" className={css.body} style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map(({ key, index, start }) => {
        const row = rows[index]!
        const mark = markOf?.(row)
        return (
          <div
            key={key} role="row" aria-rowindex={index + 2} data-index={index} data-row={mark?.row} data-status={mark?.status}
            className={css.row} style={{ transform: `translateY(${start}px)` }}
          >
            <Cells row={row} columns={columns as readonly Column<unknown>[]} />
          </div>
        )
      })}
    </div>
  )
}

const Cells = memo(function Cells({ row, columns }: { row: unknown; columns: readonly Column<unknown>[] }): ReactNode {
  return columns.map(({ name, cell, isNarrow, isNumber }) => <div key={name} role="cell" className={classes(isNarrow, isNumber)}>{cell(row)}</div>)
})

function classes(isNarrow: boolean | undefined, isNumber: boolean | undefined): string {
  return `${css.cell} ${isNarrow ? '' : css.wide} ${isNumber ? css.number : ''}`
}

function tracksOf<T>(columns: readonly Column<T>[]): Record<string, string> {
  const widths = (of: readonly Column<T>[]): string => of.map(({ width }) => width).join(' ')
  return { '--tracks': widths(columns), '--tracks-narrow': widths(columns.filter(({ isNarrow }) => isNarrow)) }
}

/** Equal ones stay in the order in which they were given. */
function sortedBy<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort | undefined): readonly T[] {
  const order = columns.find(({ name }) => name === sort?.by)?.order
  if (!order) return rows
  return rows.toSorted(sort?.isDown ? (a, b) => order(b, a) : order)
}
