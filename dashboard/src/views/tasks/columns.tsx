/** The table of tasks: what each column shows, and what comes first by it. */
import { Link } from 'wouter'
import { wayTo } from '../../parts/address'
import { Ago } from '../../parts/Ago'
import { Progress } from '../../parts/Progress'
import { shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import type { Column } from '../../parts/Table'
import { To } from '../../parts/To'
import { STATUSES, type Task } from './choice'

const WORDS: Readonly<Record<string, number>> = { low: -10, normal: 0, high: 10, urgent: 20 }

/** As the hub weighs it: `low`, `normal`, `high`, `urgent` are -10, 0, 10, 20. */
function weight({ priority = 0 }: Task): number {
  return typeof priority === 'number' ? priority : Object.hasOwn(WORDS, priority) ? WORDS[priority]! : 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const NO_ONE = '\uffff'

export const COLUMNS: readonly Column<Task>[] = [
  {
    name: 'title', title: 'Task', width: 'minmax(7rem, 3fr)', isNarrow: true,
    cell: ({ id, title = id }) => <Link href={wayTo('tasks', id)} title={shown(id, 200)} className="cut">{shown(title, 160)}</Link>,
    order: (a, b) => compare(a.title ?? a.id, b.title ?? b.id),
  },
  { name: 'status', title: 'Status', width: '6.5rem', isNarrow: true, cell: ({ status }) => <Status status={status} />, order: (a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) },
  {
    name: 'agent', title: 'Agent', width: 'minmax(5rem, 1fr)',
    cell: ({ agentId }) => (agentId === undefined ? '—' : <To kind="agent" id={agentId} className="cut" />), order: (a, b) => compare(a.agentId ?? NO_ONE, b.agentId ?? NO_ONE),
  },
  {
    name: 'progress', title: 'Progress', width: 'minmax(5.5rem, 9rem)', isNarrow: true,
    cell: ({ progress, status, id, title = id }) => <Progress value={progress} label={`Progress of ${shown(title, 80)}`} status={status} />, order: (a, b) => (a.progress ?? -1) - (b.progress ?? -1),
  },
  { name: 'pipeline', title: 'Pipeline', width: 'minmax(5rem, 1fr)', cell: ({ pipelineId }) => (pipelineId === undefined ? '—' : <To kind="pipeline" id={pipelineId} className="cut" />), order: (a, b) => compare(a.pipelineId ?? NO_ONE, b.pipelineId ?? NO_ONE) },
  { name: 'priority', title: 'Priority', width: '5rem', isNumber: true, cell: ({ priority }) => (priority === undefined ? '—' : shown(String(priority), 20)), order: (a, b) => weight(a) - weight(b) },
  { name: 'age', title: 'Age', width: '7.75rem', isNumber: true, cell: ({ createdAt }) => <Ago at={createdAt} />, order: (a, b) => compare(b.createdAt, a.createdAt) },
  { name: 'attempts', title: 'Attempts', width: '5.5rem', isNumber: true, cell: ({ attempt, tries }) => (tries.length === 0 ? attempt : `${attempt}, ${tries.length} lost`), order: (a, b) => a.attempt - b.attempt || a.tries.length - b.tries.length },
]
