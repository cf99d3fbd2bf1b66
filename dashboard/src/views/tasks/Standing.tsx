import { memo, type ReactNode } from 'react'
import { Link } from 'wouter'
import { usePresence } from '@hubbub/react'
import { wayWith } from '../../parts/address'
import { Ago } from '../../parts/Ago'
import { Json } from '../../parts/Json'
import { Panel } from '../../parts/Page'
import { Progress } from '../../parts/Progress'
import { Said, shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { To } from '../../parts/To'
import { Until } from '../../parts/Until'
import type { Task } from './choice'
import { Lasting } from './History'
import css from './task.module.css'

/** How it stands, in one look. */
export const Standing = memo(function Standing({ task, runs }: { task: Task; runs: ReadonlyMap<string, string> }): ReactNode {
  const { status, progress, message, error, blockedReason, agentId, pipelineId, stage, streamId, retryAt, cancelRequestedAt, confidence } = task
  return (
    <Panel title="How it stands" actions={<Status status={status} />}>
      <Progress value={progress} label="Progress of the task" status={status} />
      {message !== undefined && <p className={css.line}><Said text={message} most={600} /></p>}
      {error !== undefined && <p role="note" className={css.error}><strong>Failed:</strong> <Said text={error} most={1000} /></p>}
      {status === 'blocked' && <p role="note" className={css.warn}><strong>Blocked:</strong> {blockedReason === undefined ? 'nobody said why' : <Said text={blockedReason} most={1000} />}</p>}
      {cancelRequestedAt !== undefined && task.finishedAt === undefined && <p className={css.warn}>Asked to stop <Ago at={cancelRequestedAt} /></p>}
      <dl className={css.facts}>
        <Fact name="Agent">{agentId === undefined ? '—' : <To kind="agent" id={agentId} />}</Fact>
        <Fact name="Time"><Lasting task={task} /></Fact>
        <Fact name="Confidence">{confidence === undefined ? '—' : `${Math.round(confidence * 100)} %`}</Fact>
        {pipelineId !== undefined && <Fact name="Pipeline"><To kind="pipeline" id={pipelineId} />{stage !== undefined && `, stage ${stage}`}</Fact>}
        {streamId !== undefined && <Fact name="Stream"><Link href={wayWith('tasks', { stream: streamId })} className="said">{shown(streamId, 100)}</Link></Fact>}
        {runs.size > 0 && <Fact name={runs.size === 1 ? 'Run' : 'Runs'}>{[...runs].reverse().map(([id, state], index) => <span key={id}>{index > 0 && ', '}<To kind="run" id={id} /> {state}</span>)}</Fact>}
        {retryAt !== undefined && status === 'pending' && <Fact name="Next try"><Until at={retryAt} /></Fact>}
        <Fact name="Last report"><Ago at={task.reportedAt} /></Fact>
      </dl>
      <Watchers id={task.id} />
    </Panel>
  )
})

export const Order = memo(function Order({ task }: { task: Task }): ReactNode {
  const { taskType, priority, deadline, requires = [], assignedAgent, agentType, managed, createdAt, parameters, result } = task
  return (
    <Panel title="Order and result">
      <dl className={css.facts}>
        <Fact name="Type">{taskType === undefined ? '—' : <Said text={taskType} most={100} />}</Fact>
        <Fact name="Priority">{priority === undefined ? '—' : shown(String(priority), 30)}</Fact>
        <Fact name="Deadline">{task.finishedAt === undefined ? <Until at={deadline} /> : deadline === undefined ? '—' : new Date(deadline).toLocaleString()}</Fact>
        <Fact name="Requires">{requires.length === 0 ? '—' : <Said text={requires.join(', ')} most={200} />}</Fact>
        {(assignedAgent ?? agentType) !== undefined && <Fact name="Meant for">{assignedAgent !== undefined ? <To kind="agent" id={assignedAgent} /> : <>any <Said text={agentType!} most={60} /></>}</Fact>}
        <Fact name="Created"><Ago at={createdAt} /></Fact>
        <Fact name="Managed">{managed ? 'by the hub' : 'no, observed'}</Fact>
      </dl>
      {result !== undefined && <section><h3>Result</h3><Json value={result} /></section>}
      {parameters !== undefined && <section><h3>Parameters</h3><Json value={parameters} /></section>}
    </Panel>
  )
})

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return <div><dt>{name}</dt><dd>{children}</dd></div>
}

const NAMES = 5

/** Everybody with this page open is one of them. */
function Watchers({ id }: { id: string }): ReactNode {
  const { watchers, more, error, isLoading } = usePresence(`task:${id}`)
  if (isLoading || error || watchers.length === 0) return null
  const names = watchers.slice(0, NAMES).map(({ subject }) => shown(subject, 40)).join(', ')
  const rest = watchers.length - Math.min(NAMES, watchers.length) + more
  return <p className={css.note} data-watchers={watchers.length + more}>Looking at it now: <bdi>{names}</bdi>{rest > 0 && ` and ${rest} more`}</p>
}
