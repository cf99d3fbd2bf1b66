import type { ReactNode } from 'react'
import { useEntity } from '@hubbub/react'
import { Ago } from '../../parts/Ago'
import { Progress } from '../../parts/Progress'
import { Said } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { To } from '../../parts/To'
import type { AgentView } from './plight'
import css from './agent.module.css'

/** Each is a subscription, and a connection has only so many. */
const MOST = 10

export function CurrentTasks({ agent: { currentTasks, status } }: { agent: AgentView }): ReactNode {
  if (currentTasks.length === 0) return <p className={css.quiet}>None{status === 'offline' || status === 'stale' ? ': while it is silent it gets none' : ''}.</p>
  return (
    <ul className={css.tasks}>
      {currentTasks.slice(0, MOST).map((id) => <li key={id}><CurrentTask id={id} /></li>)}
      {currentTasks.length > MOST && <li className={css.quiet}>and {currentTasks.length - MOST} more</li>}
    </ul>
  )
}

function CurrentTask({ id }: { id: string }): ReactNode {
  const { entity: task } = useEntity('task', id)
  return (
    <article className={css.task} data-row={`task:${id}`} data-status={task?.status}>
      <span className="said"><To kind="task" id={id} {...(task?.title !== undefined && { text: task.title })} />{task?.title !== undefined && <Said text={` ${id}`} most={100} className={`said mono ${css.quiet}`} />}</span>
      {task && <Status status={task.status} />}
      <Progress value={task?.progress} label={`Progress of ${id}`} {...(task && { status: task.status })} />
      {task?.message !== undefined && <p><Said text={task.message} most={300} /></p>}
      <p className={css.quiet}>
        {task?.pipelineId !== undefined && <>in <To kind="pipeline" id={task.pipelineId} />, </>}
        attempt {task ? Math.max(1, task.attempt) : '—'}, last report <Ago at={task?.reportedAt} />
      </p>
    </article>
  )
}
