import { memo, type ReactNode } from 'react'
import type { TaskStatus } from '@hubbub/client'
import type { Choose } from '../../parts/address'
import { Choice } from '../../parts/Choice'
import { KeptSearch } from '../../parts/KeptSearch'
import { shown } from '../../parts/Said'
import { useIsNarrow } from '../../parts/width'
import { STATUSES, type Facets, type Wanted } from './choice'
import css from './tasks.module.css'

interface Offered {
  wanted: Wanted
  choose: Choose
  facets: Facets
  /** By status, of what is wanted otherwise. */
  counts: Readonly<Partial<Record<TaskStatus, number>>>
  view: 'board' | 'table'
}

export const Filters = memo(function Filters({ wanted, choose, facets, counts, view }: Offered): ReactNode {
  const all = STATUSES.reduce((sum, status) => sum + (counts[status] ?? 0), 0)
  const present = STATUSES.filter((status) => (counts[status] ?? 0) > 0 || status === wanted.status)
  const isNarrow = useIsNarrow()
  const selects = (
    <div className={css.selects}>
      <Facet label="Agent" name="agent" value={wanted.agent} names={facets.agents} choose={choose} />
      <Facet label="Pipeline" name="pipeline" value={wanted.pipeline} names={facets.pipelines} choose={choose} />
      <Facet label="Stream" name="stream" value={wanted.stream} names={facets.streams} choose={choose} />
    </div>
  )
  const options = [{ value: 'all', label: 'All', count: all }, ...present.map((status) => ({ value: status as string, label: status.replace('_', ' '), count: counts[status] ?? 0 }))]
  return (
    <div className={css.filters}>
      <Choice label="View" value={view} options={[{ value: 'board', label: 'Board' }, { value: 'table', label: 'Table' }]} onChange={(value) => choose({ view: value })} />
      <Choice label="Status" value={wanted.status ?? 'all'} options={options} onChange={(value) => choose({ status: value === 'all' ? undefined : value })} />
      <div className={css.selects}>
        {isNarrow ? <details open={wanted.agent + wanted.pipeline + wanted.stream !== ''}><summary>More filters</summary>{selects}</details> : selects}
        <KeptSearch label="Search tasks" name="q" placeholder="Title, id, type, message" />
      </div>
    </div>
  )
})

interface Listed {
  label: string
  name: string
  value: string
  names: readonly string[]
  choose: Choose
}

function Facet({ label, name, value, names, choose }: Listed): ReactNode {
  // What the address asks for stands there, even if no task names it.
  const offered = value === '' || names.includes(value) ? names : [value, ...names]
  return (
    <select aria-label={label} value={value} onChange={(event) => choose({ [name]: event.target.value })} className={css.select}>
      <option value="">{label}: all</option>
      {offered.map((one) => <option key={one} value={one}>{shown(one, 60)}</option>)}
    </select>
  )
}
