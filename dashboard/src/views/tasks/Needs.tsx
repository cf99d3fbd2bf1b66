import { memo, useMemo, type ReactNode } from 'react'
import { Link } from 'wouter'
import { useEntities } from '@hubbub/react'
import { wayWith } from '../../parts/address'
import { Empty, Panel } from '../../parts/Page'
import { usePaced } from '../../parts/paced'
import { shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { To } from '../../parts/To'
import type { Task } from './choice'
import css from './task.module.css'

const PACE_MS = 500
const MOST = 30
const STREAM = 'stream:'

/** What it waits for, and what waits for it. Others' tasks may be hidden from the visitor: then their ids are all there is. */
export function Needs({ task }: { task: Task }): ReactNode {
  const { entities, error, isLoading } = useEntities('task:*', 'task')
  const needsStream = task.dependsOn?.some((need) => need.startsWith(STREAM)) ?? false
  const streams = useEntities(needsStream ? 'stream:*' : undefined, 'stream').entities
  const tasks = usePaced(entities, PACE_MS)
  const { id, streamId, dependsOn = NONE } = task
  const known = useMemo(() => {
    const found = new Map<string, { title: string; status: string }>()
    const wanted = new Set(dependsOn)
    for (const { id: other, title = other, status } of tasks) if (wanted.has(other)) found.set(other, { title, status })
    for (const { id: other, name = other, status } of streams) if (wanted.has(STREAM + other)) found.set(STREAM + other, { title: name, status })
    return found
  }, [tasks, streams, dependsOn])
  const needing = useMemo(() => tasks.filter((other) => other.dependsOn?.some((need) => need === id || (streamId !== undefined && need === STREAM + streamId))), [tasks, id, streamId])
  return (
    <Panel title="Dependencies">
      {dependsOn.length === 0 && needing.length === 0 && <Empty>{isLoading ? 'Looking for tasks that need it…' : error ? `It needs nothing; what needs it cannot be seen: ${error.code}.` : 'It needs nothing, and nothing needs it.'}</Empty>}
      {dependsOn.length > 0 && <List label="Needs" unknown={isLoading ? '…' : 'not known'} items={dependsOn.map((need) => ({ id: need, ...(known.get(need) ?? { title: need, status: undefined }) }))} />}
      {needing.length > 0 && <List label="Needed by" unknown="not known" items={needing.map(({ id: other, title = other, status }) => ({ id: other, title, status }))} />}
    </Panel>
  )
}

const NONE: readonly string[] = []

interface Needed {
  id: string
  title: string
  /** Undefined: the hub knows none, or the visitor may not see it. */
  status: string | undefined
}

const List = memo(function List({ label, items, unknown }: { label: string; items: readonly Needed[]; unknown: string }): ReactNode {
  return (
    <section>
      <h3>{label}</h3>
      <ul className={css.checks} aria-label={label}>
        {items.slice(0, MOST).map(({ id, title, status }) => (
          <li key={id}>
            {status === undefined ? <span className={css.note}>{unknown}</span> : <Status status={status} />}{' '}
            {id.startsWith(STREAM) ? <Link href={wayWith('tasks', { stream: id.slice(STREAM.length) })}>{shown(title, 100)} <span className={css.note}>stream</span></Link> : <To kind="task" id={id} text={title} />}
          </li>
        ))}
      </ul>
      {items.length > MOST && <p className={css.note}>{items.length - MOST} more</p>}
    </section>
  )
})
