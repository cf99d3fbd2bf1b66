/**
 * What the hub knows about a project, folded from its journal: one shape a kind. Times are ISO 8601 Z.
 * Source of truth is the journal; `evolve.ts` says what each event makes of an entity.
 */

export const KINDS = ['agent', 'task', 'pipeline', 'stream', 'checkpoint', 'run', 'task_type'] as const
export type Kind = (typeof KINDS)[number]

export type AgentStatus = 'registered' | 'idle' | 'busy' | 'error' | 'stalled' | 'stale' | 'offline'
export type TaskStatus = 'pending' | 'delegated' | 'accepted' | 'in_progress' | 'blocked' | 'paused' | 'completed' | 'failed' | 'cancelled'

interface Base {
  readonly id: string
  readonly createdAt: string
  /** Of the last event that changed it. */
  readonly updatedAt: string
}

export interface Agent extends Base {
  readonly status: AgentStatus
  readonly agentType?: string
  readonly capabilities: readonly string[]
  /** Tasks that it takes at once, default 1. */
  readonly maxTasks: number
  /** Source URI of whoever registered it: nobody else may while it lives. Absent: never registered. */
  readonly owner?: string
  readonly registeredAt?: string
  /** When the hub last heard from it: beats and every report of its own. */
  readonly lastSeenAt: string
  /** Connections that stand now; absent for agents that never had one (they report over HTTP or a stream). */
  readonly connections?: readonly string[]
  /** Tasks whose lease it holds, from `task.accepted` to their end. */
  readonly currentTasks: readonly string[]
  /** As it said itself in its last beat. */
  readonly reportedTasks?: readonly string[]
  readonly metrics?: Readonly<Record<string, unknown>>
}

/** One delegation that came to nothing. */
export interface Try {
  readonly attempt: number
  readonly agentId: string
  readonly reason: string
  readonly endedAt: string
}

export interface Task extends Base {
  readonly status: TaskStatus
  /** Created or delegated through the hub: the rules of ownership bind. Otherwise it is observed. */
  readonly managed: boolean
  readonly title?: string
  readonly taskType?: string
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly deadline?: string
  readonly priority?: number | string
  /** Where it belongs; given once, and never changed. */
  readonly pipelineId?: string
  readonly stage?: number
  readonly streamId?: string
  /** Task ids, or `stream:ID`: it is blocked until all of them are completed. */
  readonly dependsOn?: readonly string[]
  /** Capabilities that an agent must have; all of them. */
  readonly requires?: readonly string[]
  readonly agentType?: string
  /** The one agent that it is meant for. */
  readonly assignedAgent?: string
  /** Who holds it now, or held it last. */
  readonly agentId?: string
  readonly leaseToken?: string
  /** Until when an offered task is to be accepted. */
  readonly leaseUntil?: string
  /** Number of the last delegation, from 1; 0 before the first. */
  readonly attempt: number
  readonly tries: readonly Try[]
  /** Not to be delegated again before. */
  readonly retryAt?: string
  readonly progress?: number
  readonly message?: string
  readonly confidence?: number
  /** `timestamp` (ms, the holder's clock, but never ahead of the hub's) of its last progress: an older one is refused. */
  readonly progressAt?: number
  /** When its holder last reported on it. */
  readonly reportedAt?: string
  readonly result?: unknown
  readonly error?: string
  readonly blockedReason?: string
  readonly cancelRequestedAt?: string
  /** Number of its checkpoints so far. */
  readonly checkpoints?: number
  /** `branch:octo/hub@fix`, `pr:octo/hub#7`, `sha:abc...`: GitHub events about them are about this task, too. */
  readonly refs?: readonly string[]
  readonly startedAt?: string
  /** Completed, failed or cancelled. */
  readonly finishedAt?: string
}

/** Counts of a group of tasks. */
export interface Tally {
  readonly totalTasks: number
  readonly completedTasks: number
  readonly failedTasks: number
  /** Finished, but neither done nor failed: they count for no progress. */
  readonly cancelledTasks: number
  /** Accepted or in progress. */
  readonly inProgressTasks: number
  readonly blockedTasks: number
}

export const NO_TASKS: Tally = { totalTasks: 0, completedTasks: 0, failedTasks: 0, cancelledTasks: 0, inProgressTasks: 0, blockedTasks: 0 }

export function unfinishedTasks(tally: Tally): number {
  return Math.max(0, tally.totalTasks - tally.completedTasks - tally.failedTasks - tally.cancelledTasks)
}

export interface Step {
  readonly step: string
  readonly stepIndex?: number
  readonly outputs?: Readonly<Record<string, unknown>>
  readonly completedAt: string
}

export interface Pipeline extends Base, Tally {
  readonly status: 'pending' | 'running' | 'completed' | 'failed'
  readonly name?: string
  /** How many of its tasks are managed: if all are, the hub itself says when it is completed or failed. */
  readonly managedTasks: number
  readonly progress: number
  readonly currentStep?: string
  readonly estimatedCompletion?: string
  /** By stage number, of the tasks that name one; at most 100. */
  readonly stages: Readonly<Record<string, Tally>>
  /** The last 100; of their outputs the latest, up to 64 KiB together. */
  readonly steps: readonly Step[]
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly result?: unknown
  readonly artifacts?: readonly unknown[]
  readonly metrics?: Readonly<Record<string, unknown>>
  readonly error?: string
}

export interface Stream extends Base, Tally {
  readonly status: 'pending' | 'running' | 'blocked' | 'completed'
  readonly name?: string
  readonly progressPercentage: number
  readonly blockedReason?: string
  /** Its tasks that are blocked now, even while others go on; at most 100. */
  readonly blockedTaskIds?: readonly string[]
  readonly startedAt?: string
  readonly finishedAt?: string
}

export interface Checkpoint extends Base {
  readonly status: 'available' | 'resumed' | 'expired'
  readonly taskId?: string
  readonly taskTitle?: string
  /** From 1, in its task. */
  readonly sequence?: number
  readonly trigger?: string
  readonly executionPhase?: string
  readonly executionStep?: number
  readonly hasDraft?: boolean
  readonly expiresAt?: string
  readonly resumedAt?: string
  readonly finishedAt?: string
}

export interface Run extends Base {
  readonly status: 'running' | 'finished' | 'failed'
  readonly threadId?: string
  readonly parentRunId?: string
  readonly agentId?: string
  readonly taskId?: string
  readonly currentStep?: string
  readonly messages: number
  readonly toolCalls: number
  readonly error?: string
  readonly finishedAt?: string
}

/** What results of tasks of a type must look like; `id` is the type's name. */
export interface TaskType extends Base {
  /** JSON Schema. */
  readonly resultSchema?: Readonly<Record<string, unknown>>
}

export interface Entities {
  agent: Agent
  task: Task
  pipeline: Pipeline
  stream: Stream
  checkpoint: Checkpoint
  run: Run
  task_type: TaskType
}

export type Entity = Entities[Kind]

export const FINISHED_STATUSES = ['completed', 'failed', 'cancelled'] as const

export function isFinished(task: Pick<Task, 'status'>): boolean {
  return (FINISHED_STATUSES as readonly string[]).includes(task.status)
}

/** Topics under which an entity is watched: each event that changes it carries all of them. */
export function entityTopics<K extends Kind>(kind: K, entity: Entities[K]): string[] {
  switch (kind) {
    case 'task': {
      const { id, pipelineId, stage, streamId } = entity as Task
      const topics = [`task:${id}`]
      if (pipelineId !== undefined) topics.push(`pipeline:${pipelineId}`)
      if (pipelineId !== undefined && stage !== undefined) topics.push(`pipeline:${pipelineId}:stage:${stage}`)
      if (streamId !== undefined) topics.push(`stream:${streamId}`)
      return topics
    }
    case 'checkpoint': {
      const { id, taskId } = entity as Checkpoint
      return taskId === undefined ? [`checkpoint:${id}`] : [`checkpoint:${id}`, `checkpoint:${taskId}`]
    }
    case 'task_type':
      return ['project']
    default:
      return [`${kind}:${entity.id}`]
  }
}
