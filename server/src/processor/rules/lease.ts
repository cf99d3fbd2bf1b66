/** A delegation as a lease: who holds a task, how it is given back, and what the one who held it is told. */
import type { Task } from '@hubbub/protocol'
import { isHeld } from './bench.js'
import { isoAt, nameOfTask, placeOfTask } from './fields.js'
import type { Effects, World } from './rule.js'

/** Tasks that one cause moves in its own commit; each brings some ten events with it. */
export const AT_ONCE = 200

/** Mail for whoever holds the task: stop. */
export function callOff(task: Task, reason: string, effects: Effects): void {
  if (!isHeld(task)) return
  effects.emit('execution.cancel', { taskId: task.id, agentId: task.agentId, reason, leaseToken: task.leaseToken })
}

/** The lease is over without a result: the next try later, or the end. */
export function giveUpLease(task: Task, reason: string, world: World, effects: Effects): void {
  const { now, settings } = world
  const lost = { taskId: task.id, agentId: task.agentId, attempt: task.attempt, reason }
  effects.timer('accept', task.id, null)
  effects.timer('lease', task.id, null)
  if (task.cancelRequestedAt !== undefined) {
    effects.emit('task.lease_lost', lost)
    return endCancelled(task, false, effects)
  }
  if (task.tries.length + 1 >= settings.taskTries) {
    effects.emit('task.lease_lost', lost)
    const tries = [...task.tries, { attempt: task.attempt, agentId: task.agentId, reason, endedAt: isoAt(now) }]
    return endFailed(task, 'tries_exhausted', `No agent finished it in ${tries.length} tries.`, effects, { tries })
  }
  const retryAt = now + Math.min(settings.retryMostMs, settings.retryMs * 2 ** task.tries.length)
  effects.emit('task.lease_lost', { ...lost, retryAt: isoAt(retryAt) })
  effects.timer('retry', task.id, retryAt)
}

/** @param cause for programs: `tries_exhausted`, `deadline_exceeded`, `dependency_failed` */
export function endFailed(task: Task, cause: string, error: string, effects: Effects, more: Record<string, unknown> = {}): void {
  const { agentId, tries } = task
  effects.emit('task.failed', {
    ...nameOfTask(task), error, cause, ...placeOfTask(task), ...(isHeld(task) ? { agentId } : {}),
    ...(tries.length > 0 ? { tries } : {}), ...more,
  })
}

export function endCancelled(task: Task, confirmed: boolean, effects: Effects): void {
  effects.emit('task.cancelled', { taskId: task.id, confirmed, ...placeOfTask(task), ...(isHeld(task) ? { agentId: task.agentId } : {}) })
}
