import { memo, type ReactNode } from 'react'
import { Link } from 'wouter'
import type { EntityView } from '@hubbub/client'
import { useEntities } from '@hubbub/react'
import { wayWith } from '../../parts/address'
import { Failure } from '../../parts/Failure'
import { Empty, Loading, Panel } from '../../parts/Page'
import { Progress } from '../../parts/Progress'
import { Said, shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { To } from '../../parts/To'
import { VirtualGrid } from '../../parts/VirtualGrid'
import { said } from './stages'
import css from './pipelines.module.css'

type Stream = EntityView<'stream'>

const LINKS = 5

export function Streams({ search }: { search: string }): ReactNode {
  const { entities, isLoading, error } = useEntities('stream:*', 'stream')
  const found = entities.filter(({ id, name = '' }) => `${id} ${name}`.toLowerCase().includes(search))
  // What is blocked needs somebody.
  const streams = found.toSorted((a, b) => Number(b.status === 'blocked') - Number(a.status === 'blocked'))
  return (
    <Panel title="Streams" actions={<span className={css.line}>{streams.length} of {entities.length}</span>}>
      {error ? <Failure error={error} /> : isLoading ? <Loading what="the streams" /> : entities.length === 0 ? <Empty>No streams: tasks that name a <code>streamId</code> make them.</Empty> : streams.length === 0 ? <Empty>No stream matches.</Empty> : null}
      {streams.length > 0 && <VirtualGrid label="Streams" items={streams} keyOf={({ id }) => id} minWidth={300} rowHeight={110}>{(stream, tabIndex) => <Card stream={stream} tabIndex={tabIndex} />}</VirtualGrid>}
    </Panel>
  )
}

const Card = memo(function Card({ stream, tabIndex }: { stream: Stream; tabIndex: 0 | -1 }): ReactNode {
  const { id, name = id, status, progressPercentage } = stream
  return (
    <article className={css.card} data-row={`stream:${id}`} data-status={status}>
      <header className={css.cardHead}>
        <Link href={wayWith('tasks', { stream: id })} tabIndex={tabIndex} className={`cut ${css.name}`} title={`Tasks of stream ${shown(id, 200)}`}>{shown(name, 200)}</Link>
        <Status status={status} />
      </header>
      <Progress value={progressPercentage} label={`Progress of stream ${shown(name, 80)}`} status={status} />
      <p className={`cut ${css.line}`}>{stream.totalTasks > 0 ? said(stream) : 'No tasks counted'}</p>
      <Blocked stream={stream} />
    </article>
  )
})

/** Also of a stream that goes on: some of its tasks may not. */
function Blocked({ stream: { id, status, blockedReason, blockedTaskIds = [] } }: { stream: Stream }): ReactNode {
  if (status !== 'blocked' && blockedTaskIds.length === 0) return null
  return (
    <p className={css.blocked}>
      {blockedReason !== undefined ? <Said text={blockedReason} most={160} /> : status === 'blocked' ? 'Blocked; nobody said why' : 'Blocked in it'}
      {blockedTaskIds.length > 0 && <>: {blockedTaskIds.slice(0, LINKS).map((taskId, index) => <span key={taskId}>{index > 0 && ', '}<To kind="task" id={taskId} /></span>)}</>}
      {blockedTaskIds.length > LINKS && <> and <Link href={wayWith('tasks', { stream: id, status: 'blocked' })}>{blockedTaskIds.length - LINKS} more</Link></>}
    </p>
  )
}
