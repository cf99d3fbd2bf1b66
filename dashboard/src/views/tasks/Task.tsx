import { useMemo, useState, type ReactNode } from 'react'
import { Link } from 'wouter'
import type { Gap, HubError } from '@hubbub/client'
import { useEntity, useEvents, useHubbub } from '@hubbub/react'
import { useAddressId } from '../../parts/address'
import { Failure } from '../../parts/Failure'
import { Empty, Loading, Page } from '../../parts/Page'
import { Said, shown } from '../../parts/Said'
import { ToEvents } from '../../parts/To'
import { Checkpoints } from './Checkpoints'
import type { Task as Entity } from './choice'
import { Course, Tdd } from './Curves'
import { Github } from './Github'
import { History } from './History'
import { Logs } from './Logs'
import { Needs } from './Needs'
import { Past, PAST_TYPES } from './past'
import { Order, Standing } from './Standing'
import css from './task.module.css'

export default function Task(): ReactNode {
  const id = useAddressId()
  // A pattern is nobody's id, and would be answered with everybody's events.
  const asked = id === '' || id.endsWith('*') ? undefined : id
  const { entity, isLoading, error } = useEntity('task', asked)
  const [known, setKnown] = useState(entity)
  if (entity && known !== entity) setKnown(entity)
  // What the hub forgets while somebody looks at it stays in sight, as it was last.
  const last = entity ?? (known?.id === id ? known : undefined)
  if (last) return <Known key={id} task={last} isForgotten={!entity && !isLoading} error={error} />
  return <Page title={`Task ${shown(id, 60)}`}>{error ? <Failure error={error} /> : isLoading ? <Loading what="the task" /> : <Unknown id={id} />}</Page>
}

function Unknown({ id }: { id: string }): ReactNode {
  return (
    <Empty>
      The hub knows no task <code><Said text={id} most={200} /></code>: nobody reported one, or it was finished long ago and forgotten.{' '}
      <Link href="/tasks">All tasks</Link>
    </Empty>
  )
}

function Known({ task, isForgotten, error }: { task: Entity; isForgotten: boolean; error: HubError | undefined }): ReactNode {
  const { id, title: given = id } = task
  const title = shown(given, 300)
  const hub = useHubbub()
  const past = useMemo(() => new Past(hub, id), [hub, id])
  const read = useEvents(`task:${id}`, { types: PAST_TYPES, since: 'all', limit: 0, onEvent: past.take })
  const { tests, coverage } = past
  return (
    <Page title={title} summary={given === id ? undefined : <code><Said text={id} most={128} /></code>} actions={<ToEvents topic={`task:${id}`}>Events</ToEvents>}>
      {error && <Failure error={error} />}
      {isForgotten && !error && <p role="status" className={css.warn}>The hub has forgotten this task: this is how it was last.</p>}
      <Reading task={task} past={past} error={read.error} gap={read.gap} isReading={read.status === 'catching-up' || read.status === 'connecting'} />
      <div className={css.page} data-row={`task:${id}`} data-status={task.status}>
        <div className={css.main}>
          <Standing task={task} runs={past.runs} />
          <Course progress={past.progress.points} confidence={past.confidence.points} />
          <Tdd
            phases={past.phases.items} passing={tests.passing.points} failing={tests.failing.points} failures={past.failures}
            lines={coverage.lines.points} branches={coverage.branches.points} functions={coverage.functions.points}
          />
          <Logs lines={past.lines.items} dropped={past.lines.dropped} />
        </div>
        <div className={css.side}>
          <History task={task} entries={past.history.items} dropped={past.history.dropped} />
          <Needs task={task} />
          <Checkpoints id={id} told={task.checkpoints ?? 0} />
          <Github refs={task.refs ?? NONE} state={past.github} />
          <Order task={task} />
        </div>
      </div>
    </Page>
  )
}

const NONE: readonly string[] = []

interface Reader {
  task: Entity
  past: Past
  error: HubError | undefined
  gap: Gap | undefined
  isReading: boolean
}

/** Whether what is shown of the past is all of it. */
function Reading({ task, past, error, gap, isReading }: Reader): ReactNode {
  if (error) return <div><p className={css.note}>Its past cannot be read:</p><Failure error={error} /></div>
  if (gap) return <p role="status" className={css.warn}>The past is incomplete: events can no longer be had ({gap.reason}). History, charts and log lack them; state is complete.</p>
  if (isReading && past.first === undefined) return <p role="status" className={css.note}>Reading its past…</p>
  if (isReading) return null
  if (past.first === undefined) return <p role="status" className={css.note}>The journal no longer keeps anything of its past.</p>
  if (past.first > Date.parse(task.createdAt)) return <p role="status" className={css.note}>The journal begins at {new Date(past.first).toLocaleString()}: what happened to this task before is not shown.</p>
  return null
}
