import { memo, type ReactNode } from 'react'
import type { HubEvent } from '@hubbub/client'
import { useEvents } from '@hubbub/react'
import { Ago } from '../../parts/Ago'
import { Failure } from '../../parts/Failure'
import { Panel } from '../../parts/Page'
import { usePaced } from '../../parts/paced'
import { Said } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { To } from '../../parts/To'
import { Until } from '../../parts/Until'
import css from './agent.module.css'

interface Told {
  taskId?: string
  taskTitle?: string
  status?: string
  reason?: string
  error?: string
  message?: string
  progress?: number
  attempt?: number
  retryAt?: string
  activityDescription?: string
}

/** Not its beats and its log: those have places of their own. */
const TYPES = [
  'task.*', 'connection.*', 'checkpoint.*', 'tdd.*', 'agent.registered', 'agent.status_changed', 'agent.started', 'agent.completed', 'agent.error', 'agent.handoff', 'agent.forgotten',
]
const KEPT = 50
const PACE_MS = 250

export const History = memo(function History({ topic }: { topic: string }): ReactNode {
  return (
    <div className={css.pair}>
      <Recent topic={topic} />
      <Lost topic={topic} />
    </div>
  )
})

function Recent({ topic }: { topic: string }): ReactNode {
  const view = useEvents<Told>(topic, { types: TYPES, since: { last: KEPT }, limit: KEPT })
  const events = usePaced(view.events, PACE_MS)
  return (
    <Panel title="Recent events">
      {view.error && <Failure error={view.error} />}
      {events.length === 0 && <Nothing isReading={isReading(view.status)} text="None that the journal still has." />}
      <ol className={css.events}>
        {events.toReversed().map((event) => <Happened key={event.id} event={event} />)}
      </ol>
    </Panel>
  )
}

const Happened = memo(function Happened({ event: { type, data, metadata } }: { event: HubEvent<Told> }): ReactNode {
  const { taskId, taskTitle, status, progress } = data
  const said = data.reason ?? data.error ?? data.message ?? data.activityDescription
  return (
    <li>
      <span className="mono">{type}</span>
      <span className={css.what}>
        {status !== undefined && type === 'agent.status_changed' && <Status status={status} />}
        {taskId !== undefined && <To kind="task" id={taskId} {...(taskTitle !== undefined && { text: taskTitle })} />}
        {progress !== undefined && <span>{progress} %</span>}
        {said !== undefined && <Said text={said} most={200} />}
      </span>
      <Ago at={metadata.recordedAt} />
    </li>
  )
})

/** Tasks that it was given and did not bring to an end. */
function Lost({ topic }: { topic: string }): ReactNode {
  const view = useEvents<Told>(topic, { types: ['task.lease_lost'], since: { last: KEPT }, limit: KEPT })
  return (
    <Panel title="Delegations lost" actions={view.events.length > 0 && <span>{view.events.length >= KEPT ? `the last ${KEPT}` : view.events.length}</span>}>
      {view.error && <Failure error={view.error} />}
      {view.events.length === 0 && <Nothing isReading={isReading(view.status)} text="None that the journal still has." />}
      <ol className={css.events}>
        {view.events.toReversed().map(({ id, data, metadata }) => (
          <li key={id}>
            <span>{data.taskId !== undefined && <To kind="task" id={data.taskId} />}</span>
            <span className={css.what}>
              attempt {data.attempt ?? '—'}: <Said text={data.reason ?? 'no reason was given'} most={200} />
              {data.retryAt !== undefined && <span className={css.quiet}>offered again <Until at={data.retryAt} /></span>}
            </span>
            <Ago at={metadata.recordedAt} />
          </li>
        ))}
      </ol>
    </Panel>
  )
}

function Nothing({ isReading: isStillReading, text }: { isReading: boolean; text: string }): ReactNode {
  return <p className={css.quiet}>{isStillReading ? 'Reading the journal…' : text}</p>
}

function isReading(status: string): boolean {
  return status === 'connecting' || status === 'catching-up'
}
