/** What the hub knows, as schemas; `state/entities.ts` has the same for TypeScript. */
import { Type } from 'typebox'
import { AgentStatus, Anything, Bag, Count, Flag, maybe, Percent, Ratio, TaskStatus, Text, Texts } from '../catalogue/scalars.js'
import type { EntityView } from '../messages.js'
import type { Step, Tally, Try } from '../state/entities.js'
import { about, shape } from './shape.js'

const Moment = Type.String({ format: 'date-time' })
const base = { id: Text, revision: about(Text, 'Offset of the event that made it so.'), createdAt: Moment, updatedAt: Moment }
const tally = { totalTasks: Count, completedTasks: Count, failedTasks: Count, cancelledTasks: Count, inProgressTasks: Count, blockedTasks: Count }
const Tallies = Type.Record(Type.String(), shape<Tally>(tally))
const Tries = Type.Array(shape<Try>({ attempt: Count, agentId: Text, reason: Text, endedAt: Moment }))
const Steps = Type.Array(shape<Step>({ step: Text, stepIndex: maybe(Count), outputs: maybe(Bag), completedAt: Moment }))

export const ENTITY_SHAPES = {
  Agent: shape<EntityView<'agent'>>({
    kind: Type.Literal('agent'), ...base, status: AgentStatus, agentType: maybe(Text), capabilities: Texts, maxTasks: Count, owner: maybe(Text), registeredAt: maybe(Moment), lastSeenAt: Moment,
    connections: maybe(Texts), currentTasks: Texts, reportedTasks: maybe(Texts), metrics: maybe(Bag),
  }),
  Task: shape<EntityView<'task'>>({
    kind: Type.Literal('task'), ...base, status: TaskStatus, managed: about(Flag, 'Created through the hub, which delegates it.'), title: maybe(Text), taskType: maybe(Text), parameters: maybe(Bag), deadline: maybe(Moment),
    priority: maybe(Type.Union([Type.Number(), Type.String()])), pipelineId: maybe(Text), stage: maybe(Count), streamId: maybe(Text), dependsOn: maybe(Texts), requires: maybe(Texts), agentType: maybe(Text),
    assignedAgent: maybe(Text), agentId: maybe(Text), leaseToken: maybe(Text), leaseUntil: maybe(Moment), attempt: Count, tries: Tries, retryAt: maybe(Moment), progress: maybe(Percent), message: maybe(Text),
    confidence: maybe(Ratio), progressAt: maybe(Type.Integer()), reportedAt: maybe(Moment), result: maybe(Anything), error: maybe(Text), blockedReason: maybe(Text), cancelRequestedAt: maybe(Moment),
    checkpoints: maybe(Count), refs: maybe(Texts), startedAt: maybe(Moment), finishedAt: maybe(Moment),
  }),
  Pipeline: shape<EntityView<'pipeline'>>({
    kind: Type.Literal('pipeline'), ...base, ...tally, status: Type.Enum(['pending', 'running', 'completed', 'failed']), name: maybe(Text), managedTasks: Count, progress: Percent, currentStep: maybe(Text),
    estimatedCompletion: maybe(Text), stages: Tallies, steps: Steps, startedAt: maybe(Moment), finishedAt: maybe(Moment), result: maybe(Anything), artifacts: maybe(Type.Array(Anything)), metrics: maybe(Bag), error: maybe(Text),
  }),
  Stream: shape<EntityView<'stream'>>({
    kind: Type.Literal('stream'), ...base, ...tally, status: Type.Enum(['pending', 'running', 'blocked', 'completed']), name: maybe(Text), progressPercentage: Percent, blockedReason: maybe(Text),
    blockedTaskIds: maybe(Texts), startedAt: maybe(Moment), finishedAt: maybe(Moment),
  }),
  Checkpoint: shape<EntityView<'checkpoint'>>({
    kind: Type.Literal('checkpoint'), ...base, status: Type.Enum(['available', 'resumed', 'expired']), taskId: maybe(Text), taskTitle: maybe(Text), sequence: maybe(Count), trigger: maybe(Text), executionPhase: maybe(Text),
    executionStep: maybe(Type.Number()), hasDraft: maybe(Flag), expiresAt: maybe(Moment), resumedAt: maybe(Moment), finishedAt: maybe(Moment),
  }),
  Run: shape<EntityView<'run'>>({
    kind: Type.Literal('run'), ...base, status: Type.Enum(['running', 'finished', 'failed']), threadId: maybe(Text), parentRunId: maybe(Text), agentId: maybe(Text), taskId: maybe(Text), currentStep: maybe(Text),
    messages: Count, toolCalls: Count, error: maybe(Text), finishedAt: maybe(Moment),
  }),
  TaskType: shape<EntityView<'task_type'>>({ kind: Type.Literal('task_type'), ...base, resultSchema: maybe(about(Bag, 'JSON Schema')) }),
}
