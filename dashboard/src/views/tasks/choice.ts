/** Which tasks are wanted, as the address says it. */
import type { EntityView, TaskStatus } from '@hubbub/client'
import type { Choices } from '../../parts/address'

export type Task = EntityView<'task'>

export const STATUSES: readonly TaskStatus[] = ['pending', 'delegated', 'accepted', 'in_progress', 'blocked', 'paused', 'completed', 'failed', 'cancelled']
export const FINISHED: ReadonlySet<TaskStatus> = new Set(['completed', 'failed', 'cancelled'])

export interface Wanted {
  status: TaskStatus | undefined
  agent: string
  pipeline: string
  stream: string
  /** In lower case. */
  text: string
}

export function wantedOf(choices: Choices): Wanted {
  return {
    status: STATUSES.find((one) => one === choices.get('status')),
    agent: choices.get('agent') ?? '',
    pipeline: choices.get('pipeline') ?? '',
    stream: choices.get('stream') ?? '',
    text: (choices.get('q') ?? '').toLowerCase(),
  }
}

/** Whether anything is asked for at all. */
export function isAnything({ status, agent, pipeline, stream, text }: Wanted): boolean {
  return status === undefined && `${agent}${pipeline}${stream}${text}` === ''
}

export function isWanted(task: Task, { status, ...others }: Wanted): boolean {
  return (status === undefined || task.status === status) && isWantedButStatus(task, others)
}

export function isWantedButStatus(task: Task, { agent, pipeline, stream, text }: Omit<Wanted, 'status'>): boolean {
  return (agent === '' || task.agentId === agent) && (pipeline === '' || task.pipelineId === pipeline) && (stream === '' || task.streamId === stream) && (text === '' || textOf(task).includes(text))
}

const TEXTS = new WeakMap<Task, string>()

/** An entity keeps its identity until it changes: its text is made once. */
function textOf(task: Task): string {
  let text = TEXTS.get(task)
  if (text === undefined) {
    const { id, title = '', taskType = '', agentId = '', pipelineId = '', streamId = '', message = '' } = task
    TEXTS.set(task, (text = [id, title, taskType, agentId, pipelineId, streamId, message].map((part) => part.slice(0, 300)).join('\n').toLowerCase()))
  }
  return text
}

/** What tasks name, for lists to choose from. */
export interface Facets {
  agents: readonly string[]
  pipelines: readonly string[]
  streams: readonly string[]
}

const MOST = 500

export function facetsOf(tasks: readonly Task[]): Facets {
  const [agents, pipelines, streams] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const { agentId, pipelineId, streamId } of tasks) {
    if (agentId !== undefined) agents.add(agentId)
    if (pipelineId !== undefined) pipelines.add(pipelineId)
    if (streamId !== undefined) streams.add(streamId)
  }
  const list = (names: Set<string>): string[] => [...names].sort().slice(0, MOST)
  return { agents: list(agents), pipelines: list(pipelines), streams: list(streams) }
}
