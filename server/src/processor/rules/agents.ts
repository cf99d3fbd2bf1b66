/**
 * Agents' lives, by what the hub hears of them:
 *
 *   registered, idle, busy --(staleMs)--> stale --(offlineMs)--> offline --(forgetMs)--> forgotten
 *            ^                              |            |
 *            +------- heard again ----------+------------+        stalled: it beats, but no task of its own moves
 *
 * A beat writes no due time: the one that is set looks how long the silence was, and sets itself again.
 */
import { HubError, type Agent, type HubEvent } from '@hubbub/protocol'
import { isoAt } from './fields.js'
import type { Changed, Effects, Rules, World } from './rule.js'

export const AGENT_RULES: Rules = {
  judge: {
    'agent.registered': (event, world) => {
      const agent = world.get('agent', idOf(event))
      if (agent?.owner === undefined || agent.owner === event.metadata.source || agent.status === 'offline') return
      throw new HubError('DUPLICATE_AGENT', undefined, { agentId: agent.id, status: agent.status })
    },
  },
  fill: {
    'agent.heartbeat': (event) => ({ receivedAt: isoAt(event.metadata.recordedAt) }),
    'agent.registered': (event) => ({ registeredAt: isoAt(event.metadata.recordedAt) }),
  },
  moot: {
    // By then the report that made it busy may have ended its last task.
    'agent.status_changed': (event, world) => (event.data as Partial<Agent>).status === 'busy' && world.get('agent', idOf(event))?.currentTasks.length === 0,
  },
  onChange: {
    agent(changed, event, world, effects) {
      const { before, after } = changed
      if (!after) return effects.timer('agent', changed.id, null)
      if (!before) return effects.timer('agent', after.id, Date.parse(after.lastSeenAt) + world.settings.staleMs)
      hearAgain(changed, event, world, effects)
    },
    task({ before, after }, _event, world, effects) {
      if (after?.agentId === undefined || after.reportedAt === before?.reportedAt) return
      const agent = world.get('agent', after.agentId)
      if (agent?.status === 'stalled') tell(agent, 'busy', 'its task moves again', effects)
    },
  },
  onTimer: {
    agent(id, world, effects) {
      const agent = world.get('agent', id)
      if (!agent) return
      const { now, settings } = world
      const heard = Date.parse(agent.lastSeenAt)
      const silent = now - heard
      if (silent >= settings.forgetMs) return effects.emit('agent.forgotten', { agentId: id, reason: `silent for ${silent} ms` })
      if (silent >= settings.offlineMs) {
        if (agent.status !== 'offline') tell(agent, 'offline', `silent for ${silent} ms`, effects)
        return effects.timer('agent', id, heard + settings.forgetMs)
      }
      if (silent >= settings.staleMs) {
        if (agent.status !== 'stale' && agent.status !== 'offline') tell(agent, 'stale', `silent for ${silent} ms`, effects)
        return effects.timer('agent', id, heard + settings.offlineMs)
      }
      effects.timer('agent', id, heard + settings.staleMs)
    },
    stalled(id, world, effects) {
      const agent = world.get('agent', id)
      if (!agent || agent.currentTasks.length === 0) return
      const { now, settings } = world
      const reports = agent.currentTasks.map((task) => world.get('task', task)?.reportedAt).map((at) => (at === undefined ? 0 : Date.parse(at)))
      const due = Math.max(...reports) + settings.stalledMs
      if (due > now) return effects.timer('stalled', id, due)
      if (agent.status === 'busy') tell(agent, 'stalled', `no report on its tasks for ${settings.stalledMs} ms`, effects)
      effects.timer('stalled', id, now + settings.stalledMs)
    },
  },
}

/** A sign of life of an agent that was given up; what derives its loss is no sign. */
function hearAgain({ before, after }: Changed<'agent'>, event: HubEvent, world: World, effects: Effects): void {
  if (!before || !after || after.lastSeenAt === before.lastSeenAt) return
  const lost = before.status === 'stale' || before.status === 'offline'
  if (!lost) return
  effects.timer('agent', after.id, Date.parse(after.lastSeenAt) + world.settings.staleMs)
  if (after.status === before.status) tell(after, after.currentTasks.length > 0 ? 'busy' : 'idle', `heard again: ${event.type}`, effects)
}

function tell(agent: Agent, status: Agent['status'], reason: string, effects: Effects): void {
  const { id: agentId, agentType } = agent
  effects.emit('agent.status_changed', { agentId, status, reason, ...(agentType === undefined ? {} : { agentType }) })
}

function idOf(event: HubEvent): string {
  return (event.data as { agentId: string }).agentId
}
