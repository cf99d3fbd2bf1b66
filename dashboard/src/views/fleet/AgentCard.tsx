import { memo, type ReactNode } from 'react'
import { Link } from 'wouter'
import { Ago } from '../../parts/Ago'
import { wayTo } from '../../parts/address'
import { bytes, percent } from '../../parts/figures'
import { Progress } from '../../parts/Progress'
import { shown } from '../../parts/Said'
import { Sparkline } from '../../parts/Sparkline'
import { Status, toneOf } from '../../parts/Status'
import { cpuOf, memoryOf } from './figures'
import { plightOf, type AgentView, type TaskView } from './plight'
import { useCourse, type Samples } from './samples'
import css from './fleet.module.css'

export type Density = 'roomy' | 'compact'

interface Card {
  agent: AgentView
  /** The first of those that it holds, if it is known. */
  task: TaskView | undefined
  /** When any of its tasks last moved. */
  reportedAt: string | undefined
  samples: Samples
  density: Density
  tabIndex: 0 | -1
  /** The page shows the hub as it is now: ages may be told. */
  isLive: boolean
}

const CAPABILITIES = 3

/** Entities keep their identity until they change: a card is drawn again only for its own agent and task. */
export const AgentCard = memo(function AgentCard({ agent, task, reportedAt, samples, density, tabIndex, isLive }: Card): ReactNode {
  const { id, status, agentType, capabilities, currentTasks } = agent
  const plight = plightOf(agent, reportedAt)
  const isRoomy = density === 'roomy'
  return (
    <article aria-label={`Agent ${shown(id, 200)}`} className={`${css.card} ${isRoomy ? '' : css.compact} ${plight ? css[plight.tone] : ''}`} data-row={`agent:${id}`} data-agent-id={id} data-status={status}>
      <header className={css.cardHead}>
        <Link href={wayTo('agents', id)} tabIndex={tabIndex} className={`cut ${css.name}`} title={shown(id, 300)}>{shown(id, 200)}</Link>
        <Status status={status} tone={plight?.tone ?? toneOf(status)} />
      </header>
      {isRoomy && (
        <p className={`cut ${css.kind}`}>
          {agentType === undefined ? 'no type' : shown(agentType, 100)}
          {capabilities.length > 0 && <span title={shown(capabilities.join(', '), 500)}> · {shown(capabilities.slice(0, CAPABILITIES).join(', '), 100)}{capabilities.length > CAPABILITIES && ` +${capabilities.length - CAPABILITIES}`}</span>}
        </p>
      )}
      {plight && <p className={css.plight}>{plight.text}{plight.movedAt !== undefined && <> · last report <When at={plight.movedAt} isLive={isLive} /></>}</p>}
      <div className={css.work}>
        {currentTasks.length === 0 ? <span className={css.none}>No task</span> : <Work id={currentTasks[0]!} task={task} more={currentTasks.length - 1} tabIndex={tabIndex} />}
      </div>
      {isRoomy && <Load agent={agent} samples={samples} />}
      <footer className={css.cardFoot}>
        <span title="When the hub last heard of it"><span aria-hidden="true">♥ </span><span className="sr-only">Last beat </span><When at={agent.lastSeenAt} isLive={isLive} /></span>
        {!isRoomy && <span>CPU {percent(cpuOf(agent.metrics))} · {bytes(memoryOf(agent.metrics))}</span>}
      </footer>
    </article>
  )
})

function Work({ id, task, more, tabIndex }: { id: string; task: TaskView | undefined; more: number; tabIndex: 0 | -1 }): ReactNode {
  const title = shown(task?.title ?? id, 200)
  return (
    <>
      <span className={css.task}>
        <Link href={wayTo('tasks', id)} tabIndex={tabIndex} className="cut" title={shown(`${task?.title ?? ''} ${id}`.trim(), 300)}>{title}</Link>
        {more > 0 && <span className={css.more}>+{more}</span>}
      </span>
      <Progress value={task?.progress} label={`Progress of ${title}`} {...(task && { status: task.status })} />
    </>
  )
}

function Load({ agent: { id, metrics }, samples }: { agent: AgentView; samples: Samples }): ReactNode {
  const course = useCourse(samples, id)
  const cpu = cpuOf(metrics)
  const memory = memoryOf(metrics)
  return (
    <dl className={css.load}>
      <div>
        <dt>CPU</dt>
        <dd>{percent(cpu)}<Sparkline values={course.cpu} label={`CPU of the last minutes, now ${percent(cpu)}`} most={Math.max(100, cpu ?? 0)} width={72} height={20} /></dd>
      </div>
      <div>
        <dt>Memory</dt>
        <dd>{bytes(memory)}<Sparkline values={course.memory} label={`Memory of the last minutes, now ${bytes(memory)}`} tone="mark" most={1.25 * course.memory.reduce<number>((max, value) => Math.max(max, value ?? 0), 1)} width={72} height={20} /></dd>
      </div>
    </dl>
  )
}

/** Without the hub nobody knows whether it beat since: then it is told when, and not how long ago. */
function When({ at, isLive }: { at: string; isLive: boolean }): ReactNode {
  return isLive ? <Ago at={at} /> : <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time>
}
