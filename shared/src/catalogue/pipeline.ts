/** Pipelines (workflows): `pipelineId` is the main entity; topics `pipeline:ID` and `pipeline:ID:stage:N`. */
import { Type } from 'typebox'
import { fact, hubFact, partlyHub } from './fact.js'
import { Anything, Bag, Count, Id, maybe, Percent, Text, Time } from './scalars.js'

const OF_PIPELINE = ['pipeline:{pipelineId}', 'pipeline:{pipelineId}:stage:{stage}'] as const

/** Of its tasks, where the hub knows them. */
const tally = {
  totalTasks: maybe(Count), completedTasks: maybe(Count), failedTasks: maybe(Count), cancelledTasks: maybe(Count), inProgressTasks: maybe(Count), blockedTasks: maybe(Count),
}

const pipeline = { pipelineId: Id, stage: maybe(Count) }

/** Any `pipeline.<name>` that has no entry of its own: engines name their own steps. */
export const PIPELINE_OTHER = fact('Anything else that a workflow engine reports of a pipeline.', OF_PIPELINE, Type.Object({
  ...pipeline, eventType: maybe(Text),
}))

export const PIPELINE_FACTS = {
  'pipeline.started': fact('A pipeline runs.', OF_PIPELINE, Type.Object({ ...pipeline, name: maybe(Text), startedAt: maybe(Time) })),
  'pipeline.progress': partlyHub('How far a pipeline is.', OF_PIPELINE, ['managedTasks', 'taskId', 'change'], Type.Object({
    ...pipeline, progress: Percent, currentStep: maybe(Text), estimatedCompletion: maybe(Time), ...tally, stages: maybe(Bag),
    managedTasks: maybe(Count), taskId: maybe(Id), change: maybe(Bag),
  })),
  'pipeline.step_completed': fact('A step of a pipeline is done.', OF_PIPELINE, Type.Object({
    ...pipeline, step: Text, stepIndex: maybe(Count), outputs: maybe(Bag), estimatedCompletion: maybe(Time),
  })),
  'pipeline.task_completed': fact('A task of a pipeline is done.', [...OF_PIPELINE, 'task:{taskId}'], Type.Object({
    ...pipeline, taskId: Id, agentId: maybe(Id),
  })),
  'pipeline.completed': fact('A pipeline is done.', OF_PIPELINE, Type.Object({
    ...pipeline, result: maybe(Anything), artifacts: maybe(Type.Array(Anything, { title: 'any[]' })), metrics: maybe(Bag), completedAt: maybe(Time),
  })),
  'pipeline.failed': fact('A pipeline failed.', OF_PIPELINE, Type.Object({
    ...pipeline, error: maybe(Text), step: maybe(Text), failedAt: maybe(Time),
  })),
  'pipeline.forgotten': hubFact('A pipeline left the state.', ['pipeline:{pipelineId}'], Type.Object({ pipelineId: Id, reason: maybe(Text) })),
}
