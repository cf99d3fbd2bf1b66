/**
 * Work meets agents: a task that waits goes to an agent as a lease with a fencing token, by mail that its inbox keeps. Whatever the
 * agent reports comes with the token, or counts as its current lease; a lease that is not accepted, not kept alive, given back or
 * whose agent is lost goes to the next one, a bounded number of times, later and later.
 */
import { isFinished, type Agent, type Task } from '@hubbub/protocol'
import { isHeld, isThere, type Match } from './bench.js'
import { isoAt, nameOfTask, placeOfTask } from './fields.js'
import { AT_ONCE, callOff, endCancelled, endFailed, giveUpLease } from './lease.js'
import type { Effects, Rules, World } from './rule.js'

/** Gives the most urgent task that can be given; false when there is none. */
export function delegate(world: World, effects: Effects): boolean {
  if (world.bench.idle) return false
  const found = world.bench.match(world.now)
  if (!found) return false
  offer(found, world, effects)
  return true
}

function offer({ task, agentId, agent }: Match, { now, settings }: World, effects: Effects): void {
  const attempt = task.attempt + 1
  // A task of the same id may have been deleted before: the number alone would not tell its leases apart.
  const leaseToken = `${attempt}.${now.toString(36)}`
  const until = now + (agent && isThere(agent) ? settings.acceptMs : Math.max(settings.acceptMs, settings.offlineMs))
  const { id: taskId, taskType, parameters, deadline, priority } = task
  effects.emit('task.delegated', { taskId, agentId, attempt, leaseToken, leaseUntil: isoAt(until) })
  effects.emit('task.delegate', {
    ...nameOfTask(task), agentId, attempt, leaseToken, ...placeOfTask(task),
    ...(taskType === undefined ? {} : { taskType }), ...(parameters === undefined ? {} : { parameters }),
    ...(deadline === undefined ? {} : { deadline }), ...(priority === undefined ? {} : { priority }), metadata: { assignedAt: isoAt(now) },
  })
  effects.timer('retry', taskId, null)
  effects.timer('accept', taskId, until)
}

export const DELEGATION_RULES: Rules = {
  onEvent: {
    'task.accepted': (event, world, effects) => {
      const task = taskOf(event.data, world)
      if (!task?.managed || isFinished(task)) return
      effects.timer('accept', task.id, null)
      effects.timer('lease', task.id, world.now + world.settings.taskLeaseMs)
      effects.timer('stalled', String(task.agentId), world.now + world.settings.stalledMs)
    },
    'task.rejected': (event, world, effects) => {
      const task = taskOf(event.data, world)
      const { reason } = event.data as { reason?: string }
      if (task?.managed && isHeld(task)) giveUpLease(task, reason === undefined ? 'rejected' : `rejected: ${reason}`, world, effects)
    },
    'task.cancel_requested': (event, world, effects) => {
      const task = taskOf(event.data, world)
      if (!task || isFinished(task)) return
      const { reason = 'cancelled' } = event.data as { reason?: string }
      callOff(task, reason, effects)
      // Nobody works on it, so nobody has to confirm.
      if (!isHeld(task) || task.status === 'delegated') endCancelled(task, true, effects)
      // From the first request on: whoever asks again and again does not put it off.
      else effects.timer('cancel', task.id, Date.parse(task.cancelRequestedAt ?? isoAt(world.now)) + world.settings.cancelMs)
    },
    'agent.forgotten': (event, world, effects) => {
      const { agentId } = event.data as { agentId: string }
      releaseAll(agentId, 'the agent was forgotten', world, effects)
    },
  },
  onChange: {
    agent({ id, before, after }, _event, world, effects) {
      if (after?.status === 'offline' && before?.status !== 'offline') releaseAll(id, 'the agent went offline', world, effects)
    },
    task({ before, after }, event, _world, effects) {
      if (event.type === 'task.forgotten' && before) callOff(before, 'deleted', effects)
      // Who reports on an offer has taken it: the lease runs from here, whether or not he says so.
      if (event.type !== 'task.accepted' && before?.status === 'delegated' && after?.managed && after.status !== 'delegated' && isHeld(after)) {
        const { id: taskId, agentId, leaseToken } = after
        effects.emit('task.accepted', { taskId, agentId, leaseToken, ...placeOfTask(after) })
      }
      const ended = before?.managed && !isFinished(before) && (!after || isFinished(after))
      if (ended) for (const what of ['accept', 'lease', 'retry', 'deadline', 'cancel'] as const) effects.timer(what, before.id, null)
      if (after?.managed && !isFinished(after) && after.deadline !== undefined && after.deadline !== before?.deadline) effects.timer('deadline', after.id, Date.parse(after.deadline))
    },
  },
  onTimer: {
    accept(id, world, effects) {
      const task = world.get('task', id)
      if (task?.status !== 'delegated' || task.leaseUntil === undefined) return
      const until = Date.parse(task.leaseUntil)
      if (until > world.now) return effects.timer('accept', id, until)
      callOff(task, 'not accepted in time', effects)
      giveUpLease(task, 'not accepted in time', world, effects)
    },
    lease(id, world, effects) {
      const task = world.get('task', id)
      if (!task || !isHeld(task) || task.status === 'delegated') return
      const until = lastSign(task, world.get('agent', task.agentId!)) + world.settings.taskLeaseMs
      if (until > world.now) return effects.timer('lease', id, until)
      callOff(task, 'no sign of the agent', effects)
      giveUpLease(task, 'no sign of the agent', world, effects)
    },
    release(agentId, world, effects) {
      const agent = world.get('agent', agentId)
      if (!agent || agent.status === 'offline') releaseAll(agentId, 'the agent is lost', world, effects)
    },
    // Whatever waited for its time is found by `delegate`, which looks after each cause.
    retry: () => undefined,
    deadline(id, world, effects) {
      const task = world.get('task', id)
      if (!task?.managed || isFinished(task) || task.deadline === undefined) return
      const due = Date.parse(task.deadline)
      if (due > world.now) return effects.timer('deadline', id, due)
      callOff(task, 'its deadline has passed', effects)
      endFailed(task, 'deadline_exceeded', 'Its deadline passed before it was finished.', effects)
    },
    cancel(id, world, effects) {
      const task = world.get('task', id)
      if (task && !isFinished(task) && task.cancelRequestedAt !== undefined) endCancelled(task, false, effects)
    },
  },
}

/** An offer stays in the inbox of an agent that is away: it has its own time. */
function releaseAll(agentId: string, reason: string, world: World, effects: Effects): void {
  const held = world.bench.heldBy(agentId).flatMap((id) => world.get('task', id) ?? []).filter(({ status }) => status !== 'delegated')
  for (const task of held.slice(0, AT_ONCE)) {
    callOff(task, reason, effects)
    giveUpLease(task, reason, world, effects)
  }
  if (held.length > AT_ONCE) effects.timer('release', agentId, world.now)
}

/**
 * ms of the last report on the task, or of the last sign of an agent that still knows of it. One that was restarted beats, but its
 * beats name the task no more. An agent whose beats name no tasks at all is believed.
 */
function lastSign(task: Task, agent: Agent | undefined): number {
  const reported = Date.parse(task.reportedAt ?? task.updatedAt)
  const knows = agent && agent.status !== 'offline' && (agent.reportedTasks?.includes(task.id) ?? true)
  return knows ? Math.max(reported, Date.parse(agent.lastSeenAt)) : reported
}

function taskOf(data: unknown, world: World): Task | undefined {
  return world.get('task', (data as { taskId: string }).taskId)
}
