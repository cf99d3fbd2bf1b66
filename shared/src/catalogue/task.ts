/** The life of a task. `taskId` is the main entity; topic `task:ID`. */
import { Type } from 'typebox'
import { fact, hubFact, partlyHub } from './fact.js'
import { Anything, Bag, Count, Flag, Id, Ids, maybe, orNull, Percent, Quantity, Ratio, TaskStatus, Text, Texts, Time, Whole } from './scalars.js'

const STAGE = 'pipeline:{pipelineId}:stage:{stage}'
const OF_TASK = ['task:{taskId}'] as const
const IN_PIPELINE = ['task:{taskId}', 'pipeline:{pipelineId}', STAGE] as const
const IN_PIPELINE_BY_AGENT = ['task:{taskId}', 'pipeline:{pipelineId}', STAGE, 'agent:{agentId}'] as const

/** Where the task belongs. */
const place = { agentId: maybe(Id), pipelineId: maybe(Id), stage: maybe(Count) }
/** A delegation is a lease; a report without its token counts as the caller's current one. */
const lease = { leaseToken: maybe(Text) }
/** What is to be done, and by whom. */
const order = {
  taskType: maybe(Text), parameters: maybe(Bag), deadline: maybe(orNull(Time)), priority: maybe(Type.Union([Whole, Text], { title: 'integer or string' })),
}
const Change = Type.Object({ field: Text, oldValue: maybe(Anything), newValue: maybe(Anything) })

export const TASK_FACTS = {
  'task.created': partlyHub('A task exists.', [...IN_PIPELINE, 'stream:{streamId}'], ['managed'], Type.Object({
    taskId: Id, taskTitle: maybe(Text), status: maybe(TaskStatus), ...order, pipelineId: maybe(Id), stage: maybe(Count), streamId: maybe(Id),
    dependsOn: maybe(Ids), requires: maybe(Texts), agentType: maybe(Text), assignedAgent: maybe(Text), managed: maybe(Flag), createdAt: maybe(Time),
  })),
  'task.updated': partlyHub('Fields of a task changed.', ['task:{taskId}', 'stream:{streamId}'], ['managed'], Type.Object({
    taskId: Id, taskTitle: maybe(Text), status: maybe(TaskStatus), assignedAgent: maybe(Text), streamId: maybe(Id),
    changes: maybe(Type.Array(Change, { title: '{ field, oldValue?, newValue? }[]' })), managed: maybe(Flag), updatedAt: maybe(Time),
  })),
  'task.status_changed': fact('A task\'s status is another than before.', OF_TASK, Type.Object({
    taskId: Id, newStatus: TaskStatus, oldStatus: maybe(TaskStatus), taskTitle: maybe(Text), statusChangedAt: maybe(Time),
  })),
  'task.delegate': hubFact('A task for one agent: its mail, which nobody else reads.', ['inbox:{agentId}'], Type.Object({
    taskId: Id, agentId: Id, taskTitle: maybe(Text), ...order, pipelineId: maybe(Id), stage: maybe(Count), streamId: maybe(Id), attempt: maybe(Count), ...lease,
    metadata: maybe(Type.Object({ assignedAt: maybe(Time), estimatedDuration: maybe(Quantity) }, { title: '{ assignedAt?, estimatedDuration? }' })),
  })),
  'task.delegated': fact('A task was offered to an agent.', ['task:{taskId}', 'agent:{agentId}'], Type.Object({
    taskId: Id, agentId: Id, attempt: maybe(Count), leaseUntil: maybe(Time), ...lease,
  })),
  'task.lease_lost': hubFact('A delegation came to nothing; the task is offered again, or fails.', ['task:{taskId}', 'agent:{agentId}'], Type.Object({
    taskId: Id, agentId: Id, attempt: Count, reason: Text, retryAt: maybe(Time),
  })),
  'task.cancel_requested': hubFact('Somebody wants a task called off; its agent is asked to stop.', ['task:{taskId}', 'agent:{agentId}'], Type.Object({
    taskId: Id, agentId: maybe(Id), reason: maybe(Text), by: maybe(Text), cancelUntil: maybe(Time),
  })),
  'execution.cancel': hubFact('Stop working on a task: mail for the agent that holds it.', ['inbox:{agentId}'], Type.Object({
    taskId: Id, agentId: Id, reason: maybe(Text), ...lease,
  })),
  'task.placed': hubFact('A task was found to belong to a pipeline or stream; the whole task, for those who watch there.', [...IN_PIPELINE, 'stream:{streamId}'], Type.Object({
    taskId: Id, pipelineId: maybe(Id), stage: maybe(Count), streamId: maybe(Id), task: Bag,
  })),
  'task.forgotten': hubFact('A task left the state: deleted, or finished long ago.', ['task:{taskId}'], Type.Object({
    taskId: Id, agentId: maybe(Id), reason: maybe(Text),
  })),
  'task_type.defined': hubFact('What results of tasks of a type must look like.', ['project'], Type.Object({ taskType: Id, resultSchema: maybe(Bag) })),
  'task_type.forgotten': hubFact('A type of tasks has no rules any more.', ['project'], Type.Object({ taskType: Id, reason: maybe(Text) })),
  'task.accepted': fact('An agent took a task.', IN_PIPELINE, Type.Object({ taskId: Id, ...place, ...lease })),
  'task.rejected': fact('An agent refused a task.', IN_PIPELINE, Type.Object({ taskId: Id, ...place, ...lease, reason: maybe(Text) })),
  'task.started': fact('Work on a task began.', ['task:{taskId}', 'project'], Type.Object({
    taskId: Id, projectId: maybe(Text), ...place, ...lease, startedAt: maybe(Time),
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
  'task.failed': fact('A task failed.', IN_PIPELINE, Type.Object({
    taskId: Id, taskTitle: maybe(Text), error: maybe(Text), cause: maybe(Text), ...place, ...lease, streamId: maybe(Id), failedAt: maybe(Time),
    tries: maybe(Type.Array(Bag, { title: '{ attempt, agentId, reason, endedAt }[]' })),
  })),
  'task.cancelled': fact('A task was called off.', IN_PIPELINE_BY_AGENT, Type.Object({
    taskId: Id, reason: maybe(Text), ...place, ...lease, streamId: maybe(Id), confirmed: maybe(Flag), cancelledAt: maybe(Time),
  })),
}
