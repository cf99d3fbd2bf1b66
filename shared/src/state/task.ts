/**
 * Tasks, as events tell of them. A managed task's status goes as `lifecycle.ts` has it (the rules saw to it before); an observed one's
 * wherever its reporters say. A finished observed task that starts again is open again.
 */
import type { HubEvent } from '../envelope.js'
import { isFinished, type Task, type TaskStatus, type Try } from './entities.js'
import { mayStep } from './lifecycle.js'
import { bag, dataOf, named, numbers, textList, texts, timeOf, type Data, type Reducer, type Reducers } from './reducer.js'
import { refsOfGithub, refsOfTask } from './refs.js'

type Fold = (task: Task, data: Data, event: HubEvent) => Task

const TASK_ID = named('taskId')
/** Refs grow with every push: the latest are what future events name. */
const REFS_KEPT = 32

export const TASK_REDUCERS: Reducers<Task> = {
  'task.created': folded((task, data) => ({
    ...task,
    ...described(data),
    ...lists(data),
    status: isStatus(data['status']) ? data['status'] : task.status,
    managed: task.managed || data['managed'] === true,
    ...refsOf(task, refsOfTask(bag(data['parameters']))),
  })),
  'task.updated': folded((task, data) => {
    // What a managed task waits for was judged when it was created.
    const { dependsOn = task.dependsOn, ...others } = lists(changesOf(data))
    const changed = { ...task, ...described({ ...changesOf(data), ...data }), ...others, ...(task.managed || dependsOn === undefined ? {} : { dependsOn }) }
    return task.managed || !isStatus(data['status']) ? changed : moved(changed, data['status'])
  }),
  'task.status_changed': folded((task, data, event) => (isStatus(data['newStatus']) ? moved(task, data['newStatus'], timeOf(event)) : task)),
  'task.delegated': folded((task, data) => {
    // Another holder has another clock.
    const { retryAt: _, reportedAt: __, progressAt: ___, ...rest } = moved(task, 'delegated')
    return { ...rest, ...texts(data, 'agentId', 'leaseToken', 'leaseUntil'), attempt: numbers(data, 'attempt').attempt ?? task.attempt + 1 }
  }),
  'task.accepted': folded((task, data, event) => reported(moved(task, 'accepted'), data, event)),
  'task.rejected': folded((task, data, event) => (task.managed ? reported(task, data, event) : released(task))),
  'task.lease_lost': folded((task, data, event) => {
    const { attempt = task.attempt } = numbers(data, 'attempt')
    const { agentId = '', reason = '', retryAt } = texts(data, 'agentId', 'reason', 'retryAt')
    const lost: Try = { attempt, agentId, reason, endedAt: timeOf(event) }
    const open = released(task)
    return { ...open, tries: [...task.tries, lost], ...(retryAt === undefined ? {} : { retryAt }) }
  }),
  'task.started': folded((task, data, event) => begun(reported(moved(task, 'in_progress'), data, event), event)),
  'task.progress': folded((task, data, event) => {
    const moving = { ...begun(reported(task, data, event), event), ...numbers(data, 'progress', 'confidence'), ...texts(data, 'message'), progressAt: Math.min(event.timestamp, event.metadata.recordedAt) }
    return isFinished(task) ? moving : moved(moving, 'in_progress')
  }),
  'task.confidence_updated': folded((task, data) => ({ ...task, ...numbers(data, 'confidence') })),
  'task.blocked': folded((task, data) => ({ ...moved(task, 'blocked'), ...texts(data, 'blockedReason') })),
  'task.paused': folded((task, data, event) => reported(moved(task, 'paused'), data, event)),
  'task.result': folded((task, data, event) => ({ ...reported(task, data, event), ...('result' in data ? { result: data['result'] } : {}) })),
  'task.completed': folded((task, data, event) => {
    const done = { ...moved(task, 'completed', texts(data, 'completedAt').completedAt ?? timeOf(event)), progress: 100, ...texts(data, 'agentId') }
    return task.result === undefined && 'result' in data ? { ...done, result: data['result'] } : done
  }),
  'task.failed': folded((task, data, event) => ({ ...moved(task, 'failed', timeOf(event)), ...texts(data, 'error', 'agentId') })),
  'task.cancelled': folded((task, _data, event) => moved(task, 'cancelled', timeOf(event))),
  'task.cancel_requested': known((task, _data, event) => ({ ...task, cancelRequestedAt: task.cancelRequestedAt ?? timeOf(event) })),
  'task.placed': {
    ids: TASK_ID,
    reduce(before, event, id) {
      const whole = bag(dataOf(event)['task'])
      return whole && whole['id'] === id ? { ...(whole as unknown as Task), updatedAt: timeOf(event) } : before
    },
  },
  'task.forgotten': { ids: TASK_ID, reduce: () => undefined },
  'checkpoint.created': folded((task) => ({ ...task, checkpoints: (task.checkpoints ?? 0) + 1 })),
  ...Object.fromEntries(
    ['github.pr_updated', 'github.issue_updated', 'github.workflow_updated', 'github.push', 'github.deployment_updated', 'github.event'].map((type) => [type, learning()]),
  ),
}

/** An event that names a task makes it known: observed, unless it says otherwise. */
function folded(fold: Fold): Reducer<Task> {
  return { ids: TASK_ID, reduce: (before, event, id) => ({ ...fold(before ?? observed(id, event), dataOf(event), event), updatedAt: timeOf(event) }) }
}

function known(fold: Fold): Reducer<Task> {
  return { ids: TASK_ID, reduce: (before, event) => before && { ...fold(before, dataOf(event), event), updatedAt: timeOf(event) } }
}

/** An event on a task's topic teaches it what else of GitHub is its own. */
function learning(): Reducer<Task> {
  return {
    ids: (event) => event.topics.filter((topic) => topic.startsWith('task:')).map((topic) => topic.slice('task:'.length)),
    reduce(before, event) {
      if (!before) return before
      const { refs } = refsOf(before, refsOfGithub(event))
      return refs === undefined || refs.length === before.refs?.length ? before : { ...before, refs, updatedAt: timeOf(event) }
    },
  }
}

/** Its place is the one that its first event names: who watches a pipeline must not have to know what came before. */
function observed(id: string, event: HubEvent): Task {
  const at = timeOf(event)
  const data = dataOf(event)
  const place = { ...texts(data, 'pipelineId', 'streamId'), ...(typeof data['pipelineId'] === 'string' ? numbers(data, 'stage') : {}) }
  return { id, createdAt: at, updatedAt: at, status: 'pending', managed: false, attempt: 0, tries: [], ...place }
}

/** Status, and what goes with it; of a managed task only as its life goes. */
function moved(task: Task, status: TaskStatus, at?: string): Task {
  if (task.managed && task.status !== status && !mayStep(task.status, status)) return task
  const { finishedAt, blockedReason, ...rest } = task
  if (isFinished({ status })) return { ...rest, status, finishedAt: finishedAt ?? at ?? task.updatedAt }
  return status === 'blocked' && blockedReason !== undefined ? { ...rest, status, blockedReason } : { ...rest, status }
}

/** Back among those that wait for an agent. */
function released(task: Task): Task {
  const { leaseToken: _, leaseUntil: __, ...rest } = task
  return isFinished(task) ? rest : moved(rest, 'pending')
}

function reported(task: Task, data: Data, event: HubEvent): Task {
  return { ...task, ...(task.managed ? {} : texts(data, 'agentId')), reportedAt: timeOf(event) }
}

function begun(task: Task, event: HubEvent): Task {
  return task.startedAt === undefined ? { ...task, startedAt: timeOf(event) } : task
}

function described(data: Data): Partial<Task> {
  const { taskTitle, title = taskTitle, ...rest } = texts(data, 'taskTitle', 'title', 'taskType', 'deadline', 'agentType', 'assignedAgent')
  const parameters = bag(data['parameters'])
  const priority = data['priority']
  return {
    ...rest,
    ...(title === undefined ? {} : { title }),
    ...(parameters ? { parameters } : {}),
    ...(typeof priority === 'number' || typeof priority === 'string' ? { priority } : {}),
  }
}

function lists(data: Data): Partial<Task> {
  const dependsOn = textList(data['dependsOn'])
  const requires = textList(data['requires'])
  return { ...(dependsOn ? { dependsOn } : {}), ...(requires ? { requires } : {}) }
}

/** `changes` as fields, under the names of the task's own. */
function changesOf(data: Data): Data {
  const changes = Array.isArray(data['changes']) ? (data['changes'] as unknown[]) : []
  return Object.fromEntries(changes.map(bag).flatMap((change) => (typeof change?.['field'] === 'string' ? [[change['field'], change['newValue']]] : [])))
}

function refsOf(task: Task, more: readonly string[]): Pick<Task, 'refs'> {
  const refs = [...new Set([...(task.refs ?? []), ...more])].slice(-REFS_KEPT)
  return refs.length === 0 ? {} : { refs }
}

const STATUSES: ReadonlySet<unknown> = new Set<TaskStatus>(['pending', 'delegated', 'accepted', 'in_progress', 'blocked', 'paused', 'completed', 'failed', 'cancelled'])

function isStatus(value: unknown): value is TaskStatus {
  return STATUSES.has(value)
}
