/** Under which terms of its kind's index an entity stands: what lists and snapshots select by, and what a takeover loads. */
import { isFinished, type Agent, type Checkpoint, type Entities, type Entity, type Kind, type Pipeline, type Run, type Stream, type Task } from '@hubbub/protocol'

/** Work that is not finished: managed tasks, and those that wait for others. The owner holds it in memory. */
export const WORK = 'work'
export const FINISHED = 'finished'

export function indexTerms(kind: Kind, entity: Entity): string[] {
  return TERMS[kind](entity as never)
}

const TERMS: { [K in Kind]: (entity: Entities[K]) => string[] } = {
  task: taskTerms,
  agent: ({ status, agentType, capabilities }: Agent) => [`status:${status}`, ...given('type', agentType), ...capabilities.map((capability) => `capability:${capability}`)],
  checkpoint: ({ status, taskId, finishedAt }: Checkpoint) => [`status:${status}`, ...given('task', taskId), ...ended(finishedAt)],
  pipeline: ({ status, finishedAt }: Pipeline) => [`status:${status}`, ...ended(finishedAt)],
  stream: ({ status, finishedAt }: Stream) => [`status:${status}`, ...ended(finishedAt)],
  run: ({ status, agentId, taskId, finishedAt }: Run) => [`status:${status}`, ...given('agent', agentId), ...given('task', taskId), ...ended(finishedAt)],
  task_type: () => [],
}

function taskTerms(task: Task): string[] {
  const { status, pipelineId, stage, streamId, agentId, taskType, refs = [], finishedAt } = task
  const terms = [`status:${status}`, ...given('pipeline', pipelineId), ...given('stream', streamId), ...given('agent', agentId), ...given('type', taskType), ...ended(finishedAt)]
  if (pipelineId !== undefined && stage !== undefined) terms.push(`pipeline:${pipelineId}:stage:${stage}`)
  if (status === 'delegated' && agentId !== undefined) terms.push(`mail:${agentId}`)
  if (isWork(task)) terms.push(WORK)
  for (const ref of refs) terms.push(`ref:${ref}`)
  return terms
}

export function isWork(task: Task): boolean {
  return !isFinished(task) && (task.managed || (task.dependsOn?.length ?? 0) > 0)
}

function given(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${name}:${value}`]
}

function ended(finishedAt: string | undefined): string[] {
  return finishedAt === undefined ? [] : [FINISHED]
}
