/** The life of a task. `taskId` is the main entity; topic `task:ID`. */
import { Type } from 'typebox'
import { fact, hubFact } from './fact.js'
import { Anything, Bag, Count, Id, maybe, orNull, Percent, Quantity, Ratio, TaskStatus, Text, Time, Whole } from './scalars.js'

const STAGE = 'pipeline:{pipelineId}:stage:{stage}'
const OF_TASK = ['task:{taskId}'] as const
const IN_PIPELINE = ['task:{taskId}', 'pipeline:{pipelineId}', STAGE] as const
const IN_PIPELINE_BY_AGENT = ['task:{taskId}', 'pipeline:{pipelineId}', STAGE, 'agent:{agentId}'] as const

/** Where the task belongs. */
const place = { agentId: maybe(Id), pipelineId: maybe(Id), stage: maybe(Count) }
/** A delegation is a lease; a report without its token counts as the caller's current one. */
const lease = { leaseToken: maybe(Text) }
const Change = Type.Object({ field: Text, oldValue: maybe(Anything), newValue: maybe(Anything) })

export const TASK_FACTS = {
  'task.created': fact('A task exists.', ['task:{taskId}', 'stream:{streamId}'], Type.Object({
    taskId: Id, taskTitle: maybe(Text), status: maybe(TaskStatus), assignedAgent: maybe(Text), streamId: maybe(Id), createdAt: maybe(Time),
  })),
  'task.updated': fact('Fields of a task changed.', ['task:{taskId}', 'stream:{streamId}'], Type.Object({
    taskId: Id, taskTitle: maybe(Text), status: maybe(TaskStatus), assignedAgent: maybe(Text), streamId: maybe(Id),
    changes: maybe(Type.Array(Change, { title: '{ field, oldValue?, newValue? }[]' })), updatedAt: maybe(Time),
  })),
  'task.status_changed': fact('A task\'s status is another than before.', OF_TASK, Type.Object({
    taskId: Id, newStatus: TaskStatus, oldStatus: maybe(TaskStatus), taskTitle: maybe(Text), statusChangedAt: maybe(Time),
  })),
  'task.delegate': hubFact('A task for one agent: its mail, which nobody else reads.', ['inbox:{agentId}'], Type.Object({
    taskId: Id, agentId: Id, taskType: maybe(Text), parameters: maybe(Bag), deadline: maybe(orNull(Time)),
    priority: maybe(Type.Union([Whole, Text], { title: 'integer or string' })), pipelineId: maybe(Id), stage: maybe(Count), ...lease,
    metadata: maybe(Type.Object({ assignedAt: maybe(Time), estimatedDuration: maybe(Quantity) }, { title: '{ assignedAt?, estimatedDuration? }' })),
  })),
  'task.delegated': fact('A task was offered to an agent.', ['task:{taskId}', 'agent:{agentId}'], Type.Object({
    taskId: Id, agentId: Id, attempt: maybe(Count), leaseUntil: maybe(Time),
  })),
  'task.accepted': fact('An agent took a task.', IN_PIPELINE, Type.Object({ taskId: Id, ...place, ...lease })),
  'task.rejected': fact('An agent refused a task.', IN_PIPELINE, Type.Object({ taskId: Id, ...place, ...lease, reason: maybe(Text) })),
  'task.started': fact('Work on a task began.', ['task:{taskId}', 'project'], Type.Object({
    taskId: Id, projectId: maybe(Text), ...place, startedAt: maybe(Time),
  })),
  'task.progress': fact('How far a task is.', IN_PIPELINE_BY_AGENT, Type.Object({
    taskId: Id, progress: Percent, message: maybe(Text), confidence: maybe(Ratio), ...place, ...lease, updatedAt: maybe(Time),
  })),
  'task.confidence_updated': fact('How sure the agent is of its work.', OF_TASK, Type.Object({ taskId: Id, confidence: Ratio })),
  'task.blocked': fact('A task waits for something.', ['task:{taskId}', 'stream:{streamId}'], Type.Object({
    taskId: Id, taskTitle: maybe(Text), blockedReason: maybe(Text), streamId: maybe(Id),
  })),
  'task.paused': fact('Work on a task rests.', OF_TASK, Type.Object({ taskId: Id, pausedAt: maybe(Time) })),
  'task.result': fact('What an agent delivers for its task.', OF_TASK, Type.Object({
    taskId: Id, result: maybe(Anything), status: maybe(Text), ...lease,
  })),
  'task.completed': fact('A task is done.', ['task:{taskId}', 'pipeline:{pipelineId}', STAGE, 'stream:{streamId}'], Type.Object({
    taskId: Id, status: maybe(TaskStatus), completedAt: maybe(orNull(Time)), taskTitle: maybe(Text), streamId: maybe(Id), ...place,
  })),
  'task.failed': fact('A task failed.', IN_PIPELINE, Type.Object({ taskId: Id, error: maybe(Text), ...place, ...lease, failedAt: maybe(Time) })),
  'task.cancelled': fact('A task was called off.', IN_PIPELINE_BY_AGENT, Type.Object({
    taskId: Id, reason: maybe(Text), ...place, cancelledAt: maybe(Time),
  })),
}
