import { useCallback, useMemo, type ReactNode } from 'react'
import type { TaskStatus } from '@hubbub/client'
import { useEntities } from '@hubbub/react'
import { useChoices } from '../../parts/address'
import { Failure } from '../../parts/Failure'
import { Empty, Loading, Page } from '../../parts/Page'
import { usePaced } from '../../parts/paced'
import { Table, type Sort } from '../../parts/Table'
import { useIsNarrow } from '../../parts/width'
import { Board } from './Board'
import { facetsOf, isAnything, isWanted, isWantedButStatus, wantedOf, type Task } from './choice'
import { COLUMNS } from './columns'
import { Filters } from './Filters'

/** Between two looks at all tasks, ms. */
const PACE_MS = 200
const FACETS_PACE_MS = 2000
const keyOf = ({ id }: Task): string => id
const markOf = ({ id, status }: Task): { row: string; status: string } => ({ row: `task:${id}`, status })

export default function Tasks(): ReactNode {
  const { entities, isLoading, error } = useEntities('task:*', 'task')
  const tasks = usePaced(entities, PACE_MS)
  const [choices, choose] = useChoices()
  const isNarrow = useIsNarrow()
  const wanted = useMemo(() => wantedOf(choices), [choices])
  const view = (choices.get('view') ?? (isNarrow ? 'table' : 'board')) === 'table' ? 'table' : 'board'
  const rarely = usePaced(tasks, FACETS_PACE_MS)
  const facets = useMemo(() => facetsOf(rarely), [rarely])
  const counts = useMemo(() => countsOf(tasks.filter((task) => isWantedButStatus(task, wanted))), [tasks, wanted])
  const found = useMemo(() => tasks.filter((task) => isWanted(task, wanted)), [tasks, wanted])
  const sort = useMemo(() => sortOf(choices.get('sort')), [choices])
  const onSort = useCallback(({ by, isDown }: Sort) => choose({ sort: `${isDown ? '-' : ''}${by}` }), [choose])
  const clear = (): void => choose({ status: undefined, agent: undefined, pipeline: undefined, stream: undefined, q: undefined })
  return (
    <Page title="Tasks" summary={isLoading || error ? undefined : `${found.length} of ${tasks.length}`}>
      <Filters wanted={wanted} choose={choose} facets={facets} counts={counts} view={view} />
      {error && <Failure error={error} />}
      {isLoading && !error && <Loading what="the tasks" />}
      {!isLoading && !error && found.length === 0 && <Nothing isFiltered={!isAnything(wanted)} onClear={clear} />}
      {found.length > 0 && (view === 'board'
        ? <Board tasks={found} only={wanted.status} />
        : <Table label="Tasks" rows={found} columns={COLUMNS} keyOf={keyOf} markOf={markOf} sort={sort} onSort={onSort} />)}
    </Page>
  )
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }): ReactNode {
  if (isFiltered) return <Empty>No task matches. <button type="button" onClick={onClear}>Show all</button></Empty>
  return <Empty>No tasks: <code>POST /api/v1/tasks</code> hands one in, and any report about one makes it known.</Empty>
}

function countsOf(tasks: readonly Task[]): Partial<Record<TaskStatus, number>> {
  const counts: Partial<Record<TaskStatus, number>> = {}
  for (const { status } of tasks) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** `-age`: downwards. Without a choice: the youngest first. */
function sortOf(text: string | null): Sort {
  const by = text?.replace(/^-/, '') ?? ''
  return COLUMNS.some(({ name }) => name === by) ? { by, isDown: text!.startsWith('-') } : { by: 'age', isDown: false }
}
