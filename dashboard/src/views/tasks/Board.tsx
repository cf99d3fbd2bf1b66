import { memo, useMemo, type ReactNode } from 'react'
import { Link } from 'wouter'
import type { TaskStatus } from '@hubbub/client'
import { wayTo } from '../../parts/address'
import { Ago } from '../../parts/Ago'
import { Progress } from '../../parts/Progress'
import { Said, shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { VirtualList } from '../../parts/VirtualList'
import { FINISHED, type Task } from './choice'
import css from './tasks.module.css'

interface Column {
  name: string
  statuses: readonly TaskStatus[]
}

/** Neighbours in a task's life that last for moments share a column. */
const COLUMNS: readonly Column[] = [
  { name: 'Waiting', statuses: ['pending'] },
  { name: 'Offered', statuses: ['delegated', 'accepted'] },
  { name: 'In progress', statuses: ['in_progress'] },
  { name: 'Held up', statuses: ['blocked', 'paused'] },
  { name: 'Completed', statuses: ['completed'] },
  { name: 'Failed', statuses: ['failed', 'cancelled'] },
]

const CARD_PX = 92

export function Board({ tasks, only }: { tasks: readonly Task[]; only: TaskStatus | undefined }): ReactNode {
  const columns = useMemo(() => COLUMNS.filter(({ statuses }) => only === undefined || statuses.includes(only)).map((column) => ({ ...column, tasks: ordered(tasks, column) })), [tasks, only])
  return (
    <div className={css.board} role="group" aria-label="Tasks by status">
      {columns.map(({ name, tasks: own }) => (
        <section key={name} className={css.column} aria-label={`${name}, ${own.length}`}>
          <h2>{name} <span>{own.length}</span></h2>
          {own.length === 0 ? <p className={css.none}>—</p> : <VirtualList label={`Tasks: ${name}`} items={own} keyOf={({ id }) => id} estimate={CARD_PX} className={css.cards}>{(task) => <Card task={task} />}</VirtualList>}
        </section>
      ))}
    </div>
  )
}

/** What waits longest first, what ended last first. */
function ordered(tasks: readonly Task[], { statuses }: Column): Task[] {
  const own = tasks.filter(({ status }) => statuses.includes(status))
  return FINISHED.has(statuses[0]!) ? own.sort((a, b) => inTime(b.finishedAt, a.finishedAt)) : own.sort((a, b) => inTime(a.createdAt, b.createdAt))
}

/** The hub writes all times alike, so they sort as texts: parsing thousands at each change would cost a frame. */
function inTime(one = '', other = ''): number {
  return one < other ? -1 : one > other ? 1 : 0
}

const Card = memo(function Card({ task }: { task: Task }): ReactNode {
  const { id, title = id, status, progress, agentId, attempt, blockedReason, error, taskType } = task
  const why = status === 'blocked' ? blockedReason : status === 'failed' ? error : undefined
  return (
    <div className={css.cardBox}>
      <Link href={wayTo('tasks', id)} className={css.card} data-row={`task:${id}`} data-status={status}>
        <span className={css.title} title={shown(id, 200)}><Said text={title} most={120} /></span>
        <span className={css.cardLine}>
          <Status status={status} />
          {attempt > 1 && <span className={css.note} title={`Delegated ${attempt} times`}>try {attempt}</span>}
          <span className={`cut ${css.note}`}>{agentId === undefined ? shown(taskType ?? '', 40) : shown(agentId, 60)}</span>
        </span>
        {why === undefined ? <Foot task={task} /> : <Said text={why} most={120} className={`cut ${css.note}`} />}
        {status === 'in_progress' && <Progress value={progress} label={`Progress of ${shown(title, 80)}`} status={status} />}
      </Link>
    </div>
  )
})

function Foot({ task: { createdAt, finishedAt, pipelineId, message, status } }: { task: Task }): ReactNode {
  return (
    <span className={`cut ${css.note}`}>
      {finishedAt === undefined ? <Ago at={createdAt} /> : <Ago at={finishedAt} />}
      {status === 'in_progress' && message !== undefined ? <> · <Said text={message} most={80} /></> : pipelineId !== undefined && <> · <Said text={pipelineId} most={60} /></>}
    </span>
  )
}
