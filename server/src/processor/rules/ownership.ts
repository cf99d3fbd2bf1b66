/**
 * Who may say what of a task. Of a managed task its holder alone reports, with the lease that it holds; whoever has another one is
 * told so (exactly one result is accepted, however many agents worked on it). Of an observed task everybody tells what he sees.
 */
import { HubError, isFinished, type HubEvent, type Task } from '@hubbub/protocol'
import { isHeld } from './bench.js'
import { problemsOfResult } from './results.js'
import type { Rules, World } from './rule.js'

interface Report {
  taskId: string
  leaseToken?: string
  dependsOn?: string[]
  managed?: boolean
  result?: unknown
}

type Judge = (event: HubEvent, world: World) => void

export const OWNERSHIP_RULES: Rules = {
  judge: {
    'task.created': judgeCreation,
    'task.updated': (event, world) => {
      // Changed through the hub, and deleted meanwhile: it must not come back as an observed one.
      const task = reportOf(event).managed ? required(event, world) : find(event, world)
      if (task?.managed && agentOf(event) !== undefined) requireLease(event, task)
    },
    'task.accepted': answering((event, task) => requireLease(event, task, 'delegated', 'accepted')),
    'task.rejected': answering((event, task) => requireLease(event, task)),
    'task.started': reporting,
    'task.progress': (event, world) => {
      reporting(event, world)
      const task = find(event, world)
      if (task?.managed && task.progressAt !== undefined && event.timestamp < task.progressAt) {
        throw new HubError('STALE_REPORT', undefined, { taskId: task.id, timestamp: event.timestamp, last: task.progressAt })
      }
    },
    'task.paused': reporting,
    'task.blocked': reporting,
    'task.confidence_updated': reporting,
    'task.result': answering((event, task, world) => {
      if (isFinished(task)) throw new HubError('TASK_COMPLETION_ERROR', `The task is ${task.status} already.`, { taskId: task.id, status: task.status })
      if (task.managed) requireLease(event, task)
      const type = task.taskType === undefined ? undefined : world.get('task_type', task.taskType)
      const problems = type?.resultSchema && problemsOfResult(type.resultSchema, reportOf(event).result)
      if (problems) throw new HubError('RESULT_INVALID', undefined, { taskId: task.id, taskType: task.taskType, problems })
    }),
    'task.completed': reporting,
    'task.failed': reporting,
    'task.cancelled': reporting,
    'task.status_changed': decided,
    'task.delegated': decided,
    'task.cancel_requested': (event, world) => {
      const task = required(event, world)
      if (isFinished(task)) throw new HubError('BUSINESS_LOGIC_ERROR', `The task is ${task.status} already.`, { taskId: task.id, status: task.status })
    },
    'task.forgotten': (event, world) => void required(event, world),
  },
  fill: {
    'task.forgotten': (event, world) => {
      const task = find(event, world)
      return task && isHeld(task) ? { agentId: task.agentId } : undefined
    },
  },
}

/** Answers to a delegation need the task that they are about. */
function answering(judge: (event: HubEvent, task: Task, world: World) => void): Judge {
  return (event, world) => {
    const task = required(event, world)
    if (task.managed || event.type === 'task.result') judge(event, task, world)
  }
}

function reporting(event: HubEvent, world: World): void {
  const task = find(event, world)
  // A report with a lease is about a task that was delegated once: deleted meanwhile, it does not come back as an observed one.
  if (!task && reportOf(event).leaseToken !== undefined) throw notFound(event)
  if (task?.managed) requireLease(event, task)
}

/** The hub decides these of its own tasks. */
function decided(event: HubEvent, world: World): void {
  const task = find(event, world)
  if (task?.managed) {
    const remedy = 'Report task.accepted, task.progress, task.result, task.failed or task.rejected instead.'
    throw new HubError('BUSINESS_LOGIC_ERROR', `The hub itself says ${event.type} of a task that it delegates.`, { taskId: task.id, remedy })
  }
}

function judgeCreation(event: HubEvent, world: World): void {
  const { taskId, managed, dependsOn = [] } = reportOf(event)
  const task = world.get('task', taskId)
  if (task && (managed || task.managed)) throw new HubError('TASK_EXISTS', undefined, { taskId, status: task.status })
  if (dependsOn.includes(taskId) || reaches(taskId, dependsOn, world)) {
    throw new HubError('BUSINESS_LOGIC_ERROR', 'The task would wait for itself.', { taskId, dependsOn })
  }
}

/** Whether the dependencies lead back to the task; a long way is walked no further than this. */
const MOST_STEPS = 1000

function reaches(taskId: string, dependsOn: readonly string[], world: World): boolean {
  // Only a task that others wait for already can be waited for by its own dependencies.
  if (world.dependents(taskId).length === 0) return false
  const open = dependsOn.filter((id) => !id.startsWith('stream:'))
  const seen = new Set(open)
  for (let steps = 0; open.length > 0 && steps < MOST_STEPS; steps++) {
    for (const next of world.get('task', open.pop()!)?.dependsOn ?? []) {
      if (next === taskId) return true
      if (next.startsWith('stream:') || seen.has(next)) continue
      seen.add(next)
      open.push(next)
    }
  }
  return false
}

/** @throws HubError STALE_LEASE or NOT_TASK_OWNER */
function requireLease(event: HubEvent, task: Task, ...statuses: Task['status'][]): void {
  const { leaseToken } = reportOf(event)
  const details = { taskId: task.id, status: task.status }
  if (leaseToken !== undefined && leaseToken !== task.leaseToken) throw new HubError('STALE_LEASE', undefined, details)
  if (agentOf(event) === undefined || agentOf(event) !== task.agentId) throw new HubError('NOT_TASK_OWNER', 'Agent not authorized to update this task.', details)
  if (!isHeld(task)) throw new HubError('STALE_LEASE', undefined, details)
  if (statuses.length > 0 && !statuses.includes(task.status)) throw new HubError('BUSINESS_LOGIC_ERROR', `The task is ${task.status}.`, details)
}

/** The agent that speaks; undefined for anybody else. */
function agentOf({ metadata: { source } }: HubEvent): string | undefined {
  return source.startsWith('/agents/') ? decodeURIComponent(source.slice('/agents/'.length)) : undefined
}

function reportOf(event: HubEvent): Report {
  return event.data as Report
}

function find(event: HubEvent, world: World): Task | undefined {
  return world.get('task', reportOf(event).taskId)
}

function required(event: HubEvent, world: World): Task {
  const task = find(event, world)
  if (!task) throw notFound(event)
  return task
}

function notFound(event: HubEvent): HubError {
  return new HubError('TASK_NOT_FOUND', 'Task not found.', { taskId: reportOf(event).taskId })
}
