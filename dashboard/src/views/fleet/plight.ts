/** What is wrong with an agent or a task, in words. Pure. */
import type { EntityView } from '@hubbub/client'
import type { Tone } from '../../parts/Status'

export type AgentView = EntityView<'agent'>
export type TaskView = EntityView<'task'>
export type Tasks = ReadonlyMap<string, TaskView>

export interface Plight {
  tone: Tone
  text: string
  /** ISO 8601: when anything moved last; absent where that is not the point, or nobody knows. */
  movedAt?: string
  /** It is for a person to look at now. */
  isUrgent: boolean
}

/** @param reportedAt ISO 8601: when one of its tasks last moved, if that is known */
export function plightOf(agent: AgentView, reportedAt?: string): Plight | undefined {
  switch (agent.status) {
    case 'stalled':
      return { tone: 'bad', text: 'Alive, but not progressing', isUrgent: true, ...(reportedAt !== undefined && { movedAt: reportedAt }) }
    case 'error':
      return { tone: 'bad', text: 'Reports an error', isUrgent: true }
    case 'stale':
      return { tone: 'warn', text: 'Silent: gets no new tasks', isUrgent: true }
    case 'offline':
      return { tone: 'idle', text: 'Offline: its tasks go to others', isUrgent: false }
    default:
      // Absent: it never had one, and reports by other ways.
      return agent.connections?.length === 0 ? { tone: 'warn', text: 'Connection lost', isUrgent: false } : undefined
  }
}

/** Of all tasks that it holds, the latest. */
export function reportedAtOf({ currentTasks }: AgentView, tasks: Tasks): string | undefined {
  return currentTasks.flatMap((id) => tasks.get(id)?.reportedAt ?? []).toSorted().at(-1)
}

/** Blocked tasks that only wait for others which go on are as they should be. */
export function isInTrouble(task: TaskView, tasks: Tasks): boolean {
  if (task.status === 'failed') return true
  if (task.status !== 'blocked') return false
  const needs = task.dependsOn ?? []
  const causes = needs.map((id) => tasks.get(id)?.status)
  if (causes.some((status) => status === 'failed' || status === 'cancelled')) return true
  // A stream's own blocked tasks are told in its place.
  return !needs.some((id) => id.startsWith('stream:')) && !causes.some((status) => status !== undefined && status !== 'completed')
}

/** ISO 8601, of what became of it last. */
export function troubledAt(task: TaskView): string {
  return task.finishedAt ?? task.updatedAt
}
