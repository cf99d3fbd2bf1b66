import { memo, useState, type ReactNode } from 'react'
import { Link } from 'wouter'
import { wayTo } from '../../parts/address'
import { Ago, duration } from '../../parts/Ago'
import { Panel } from '../../parts/Page'
import { Progress } from '../../parts/Progress'
import { Said, shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { To } from '../../parts/To'
import { VirtualList } from '../../parts/VirtualList'
import { nameOf, type Group } from './lanes'
import { said, type Pipeline, type Task } from './stages'
import css from './pipeline.module.css'

const OPEN_MOST = 12

/** The tasks, stage by stage: what the time line shows, in words. */
export function StageTasks({ groups, pipeline }: { groups: readonly Group[]; pipeline: Pipeline }): ReactNode {
  return (
    <Panel title="Tasks by stage">
      {groups.map(({ stage, tasks }) => <Stage key={stage ?? '-'} stage={stage} tasks={tasks} note={stage === undefined ? undefined : pipeline.stages[stage] && said(pipeline.stages[stage])} />)}
    </Panel>
  )
}

function Stage({ stage, tasks, note = `${tasks.length} tasks` }: { stage: number | undefined; tasks: readonly Task[]; note?: string }): ReactNode {
  const [isOpen, setOpen] = useState(tasks.length <= OPEN_MOST)
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)} className={css.stage}>
      <summary><strong>{nameOf(stage)}</strong> <span className={css.note}>{note}</span></summary>
      {isOpen && <VirtualList label={`Tasks of ${nameOf(stage)}`} items={tasks} keyOf={({ id }) => id} estimate={36} className={tasks.length > OPEN_MOST ? css.many : css.few}>{(task) => <Row task={task} />}</VirtualList>}
    </details>
  )
}

const Row = memo(function Row({ task }: { task: Task }): ReactNode {
  const { id, title = id, status, agentId, progress, tries, blockedReason, error, dependsOn = [] } = task
  return (
    <div className={css.row} data-row={`task:${id}`} data-status={status}>
      <Link href={wayTo('tasks', id)} className="cut" title={shown(id, 200)}>{shown(title, 200)}</Link>
      <Status status={status} />
      <Progress value={progress} label={`Progress of ${shown(title, 80)}`} status={status} />
      <span className="cut">{agentId === undefined ? <span className={css.note}>no agent</span> : <To kind="agent" id={agentId} className="cut" />}</span>
      <span className={`cut ${css.note}`}>
        {tries.length > 0 && `${tries.length} lost · `}
        <Lasted task={task} />
        {status === 'blocked' && (blockedReason !== undefined ? <> · <Said text={blockedReason} most={120} /></> : dependsOn.length > 0 && ` · needs ${shown(dependsOn.slice(0, 3).join(', '), 120)}`)}
        {status === 'failed' && error !== undefined && <> · <Said text={error} most={120} /></>}
      </span>
    </div>
  )
})

function Lasted({ task: { startedAt, finishedAt, createdAt } }: { task: Task }): ReactNode {
  if (startedAt !== undefined && finishedAt !== undefined) return duration(Date.parse(finishedAt) - Date.parse(startedAt))
  if (finishedAt !== undefined) return <Ago at={finishedAt} prefix="ended " />
  return startedAt === undefined ? <Ago at={createdAt} prefix="waits; came " /> : <Ago at={startedAt} prefix="began " />
}
