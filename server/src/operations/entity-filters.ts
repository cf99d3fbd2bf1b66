/** By what lists of entities may be narrowed down: what each filter compares, and the index term that finds it, where there is one. */
import { HubError, type AgentStatus, type Entities, type Entity, type Kind, type TaskStatus } from '@hubbub/protocol'

export type Filters = Readonly<Record<string, string>>

interface Filter<E> {
  /** Undefined: the whole kind is looked through. */
  term(value: string, filters: Filters): string | undefined
  fits(entity: E, value: string): boolean
  /** Absent: any text. */
  oneOf?: readonly string[]
  pattern?: RegExp
}

const TASK_STATUSES: readonly TaskStatus[] = ['pending', 'delegated', 'accepted', 'in_progress', 'blocked', 'paused', 'completed', 'failed', 'cancelled']
const AGENT_STATUSES: readonly AgentStatus[] = ['registered', 'idle', 'busy', 'error', 'stalled', 'stale', 'offline']
/** Longer than any id, shorter than any harm. */
const MAX_VALUE = 256

function status<E extends { status: string }>(...oneOf: readonly E['status'][]): Filter<E> {
  return { term: (value) => `status:${value}`, fits: (entity, value) => entity.status === value, oneOf }
}

function field<E>(name: keyof E & string, index: string): Filter<E> {
  return { term: (value) => `${index}:${value}`, fits: (entity, value) => entity[name] === value }
}

/** Those that find the fewest stand first. */
const FILTERS: { [K in Kind]: Readonly<Record<string, Filter<Entities[K]>>> } = {
  task: {
    stage: {
      term: (value, { pipelineId }) => (pipelineId === undefined ? undefined : `pipeline:${pipelineId}:stage:${Number(value)}`),
      fits: (task, value) => task.stage === Number(value),
      pattern: /^\d{1,9}$/,
    },
    pipelineId: field('pipelineId', 'pipeline'),
    streamId: field('streamId', 'stream'),
    agentId: field('agentId', 'agent'),
    status: status(...TASK_STATUSES),
    type: field('taskType', 'type'),
  },
  agent: {
    capability: { term: (value) => `capability:${value}`, fits: (agent, value) => agent.capabilities.includes(value) },
    type: field('agentType', 'type'),
    status: status(...AGENT_STATUSES),
  },
  pipeline: { status: status('pending', 'running', 'completed', 'failed') },
  stream: { status: status('pending', 'running', 'blocked', 'completed') },
  checkpoint: { taskId: field('taskId', 'task'), status: status('available', 'resumed', 'expired') },
  run: { taskId: field('taskId', 'task'), agentId: field('agentId', 'agent'), status: status('running', 'finished', 'failed') },
  task_type: {},
}

export function filterNames(kind: Kind): string[] {
  return Object.keys(FILTERS[kind])
}

/** @throws HubError INVALID_MESSAGE */
export function checkFilters(kind: Kind, filters: Filters): void {
  for (const [name, value] of Object.entries(filters)) {
    const filter = filterOf(kind, name)
    if (!filter) throw refused(name, `is no filter of ${kind} lists; there are ${filterNames(kind).join(', ') || 'none'}`)
    if (filter.oneOf && !filter.oneOf.includes(value)) throw refused(name, `must be one of ${filter.oneOf.join(', ')}`)
    if (value.length > MAX_VALUE || (filter.pattern && !filter.pattern.test(value))) throw refused(name, 'has no allowed form')
  }
}

/** Of the index that holds the fewest of what is asked for, by rule of thumb. */
export function termOf(kind: Kind, filters: Filters): string | undefined {
  for (const name of filterNames(kind)) {
    const value = filters[name]
    const term = value === undefined ? undefined : filterOf(kind, name)?.term(value, filters)
    if (term !== undefined) return term
  }
  return undefined
}

export function fits(kind: Kind, entity: Entity, filters: Filters): boolean {
  return Object.entries(filters).every(([name, value]) => filterOf(kind, name)?.fits(entity as never, value))
}

function filterOf(kind: Kind, name: string): Filter<never> | undefined {
  return Object.hasOwn(FILTERS[kind], name) ? (FILTERS[kind] as Readonly<Record<string, Filter<never>>>)[name] : undefined
}

function refused(path: string, problem: string): HubError {
  return new HubError('INVALID_MESSAGE', `${path} ${problem}`, { path, problem })
}
