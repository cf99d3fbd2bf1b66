import { useMemo, type ReactNode } from 'react'
import { Link } from 'wouter'
import { useEntities, useEntity, useEvents, useHubbub } from '@hubbub/react'
import { useAddressId, wayWith } from '../../parts/address'
import { useNow } from '../../parts/Ago'
import { Failure } from '../../parts/Failure'
import type { Mark } from '../../parts/lanes'
import { Empty, Loading, Page, Panel } from '../../parts/Page'
import { usePaced } from '../../parts/paced'
import { Said, shown } from '../../parts/Said'
import { Timeline } from '../../parts/Timeline'
import { ToEvents } from '../../parts/To'
import { useIsNarrow } from '../../parts/width'
import { Attempts, ATTEMPT_TYPES } from './attempts'
import { DRAWN_MOST, groupsOf, lanesOf, type Group } from './lanes'
import { Outcome, Standing } from './PipelineFacts'
import type { Pipeline as Entity, Task } from './stages'
import { StageTasks } from './StageTasks'
import css from './pipeline.module.css'

const PACE_MS = 250

export default function Pipeline(): ReactNode {
  const id = useAddressId()
  // A pattern is nobody's id, and would be answered with everybody's tasks.
  const asked = id === '' || id.endsWith('*') ? undefined : id
  const { entity, isLoading, error } = useEntity('pipeline', asked)
  const { entities } = useEntities(asked === undefined ? undefined : `pipeline:${asked}`, 'task')
  const tasks = usePaced(entities, PACE_MS)
  if (entity) return <Known key={id} pipeline={entity} tasks={tasks} />
  return (
    <Page title={`Pipeline ${shown(id, 60)}`}>
      {error ? <Failure error={error} /> : isLoading ? <Loading what="the pipeline" /> : <Unknown id={id} />}
    </Page>
  )
}

function Unknown({ id }: { id: string }): ReactNode {
  return (
    <Empty>
      The hub knows no pipeline <code><Said text={id} most={200} /></code>: nobody reported one, or it ended long ago and was forgotten.{' '}
      <Link href="/pipelines">All pipelines</Link>
    </Empty>
  )
}

function Known({ pipeline, tasks }: { pipeline: Entity; tasks: readonly Task[] }): ReactNode {
  const { id, name = id } = pipeline
  const title = shown(name, 300)
  const groups = useMemo(() => groupsOf(tasks, pipeline), [tasks, pipeline])
  const isNarrow = useIsNarrow()
  return (
    <Page
      title={title} summary={name === id ? undefined : <code><Said text={id} most={128} /></code>}
      actions={<><Link href={wayWith('tasks', { pipeline: id })}>Tasks as board and table</Link><ToEvents topic={`pipeline:${id}`}>Events</ToEvents></>}
    >
      <div className={css.page} data-row={`pipeline:${id}`} data-status={pipeline.status}>
        <Standing pipeline={pipeline} />
        {!isNarrow && <Lanes pipeline={pipeline} groups={groups} />}
        {tasks.length > 0 && <StageTasks groups={groups} pipeline={pipeline} />}
        <Outcome pipeline={pipeline} />
      </div>
    </Page>
  )
}

function Lanes({ pipeline, groups }: { pipeline: Entity; groups: readonly Group[] }): ReactNode {
  const { id, steps, finishedAt } = pipeline
  const hub = useHubbub()
  const attempts = useMemo(() => new Attempts(hub, id), [hub, id])
  const { error, gap } = useEvents(`pipeline:${id}`, { types: ATTEMPT_TYPES, since: 'all', limit: 0, onEvent: attempts.take })
  const { known } = attempts
  const lanes = useMemo(() => lanesOf(groups, pipeline, known), [groups, pipeline, known])
  const drawn = useMemo(() => lastBegun(lanes), [lanes])
  const marks = useMemo(() => steps.map(({ step, completedAt }): Mark => ({ at: Date.parse(completedAt), label: step, tone: 'mark' })), [steps])
  const now = useNow()
  const isOpen = finishedAt === undefined || lanes.some(({ bars }) => bars.some(({ to }) => to === undefined))
  const bars = lanes.reduce((sum, lane) => sum + lane.bars.length, 0)
  return (
    <Panel title="Time line" actions={<Legend />}>
      {bars === 0 && marks.length === 0 ? <Empty>No task has begun, and no step was reported.</Empty> : <Timeline label={`Time line of ${shown(pipeline.name ?? id, 80)}`} lanes={drawn} marks={marks} now={now} isOpen={isOpen} />}
      {bars > DRAWN_MOST && <p className={css.note}>The {DRAWN_MOST} tasks that began last are drawn, of {bars}.</p>}
      {(gap ?? error) && <p className={css.note}>When lost tries began is not known of all: {error ? `${error.code}: ${error.message}` : 'the journal no longer keeps it'}.</p>}
    </Panel>
  )
}

function Legend(): ReactNode {
  return <span className={css.note}><span className={css.lostKey} aria-hidden="true" /> a try that was lost · dashed: still lasts</span>
}

function lastBegun(lanes: ReturnType<typeof lanesOf>): ReturnType<typeof lanesOf> {
  const begun = lanes.flatMap(({ bars }) => bars.map(({ from }) => from)).sort((a, b) => b - a)
  if (begun.length <= DRAWN_MOST) return lanes
  const since = begun[DRAWN_MOST - 1]!
  return lanes.map((lane) => ({ ...lane, bars: lane.bars.filter(({ from }) => from >= since) }))
}
