/** Agents, as events tell of them. What they hold is what the hub gave them and they accepted, not what they say. */
import type { HubEvent } from '../envelope.js'
import type { Agent, AgentStatus } from './entities.js'
import { bag, dataOf, named, numbers, textList, texts, timeOf, type Data, type Reducer, type Reducers } from './reducer.js'

type Fold = (agent: Agent, data: Data, event: HubEvent) => Agent

const AGENT_ID = named('agentId')
/** Of a busy agent's reports not each one is worth a write: its last sign is exact to this, ms. */
const SIGN_MS = 1000

export const AGENT_REDUCERS: Reducers<Agent> = {
  'agent.registered': folded((agent, data, event) => {
    const { maxTasks = agent.maxTasks } = numbers(data, 'maxTasks')
    const { agentType, registeredAt = timeOf(event) } = texts(data, 'agentType', 'registeredAt')
    // One that comes back without a connection of its own counts by its beats from now on.
    const { connections = [], ...rest } = seen(agent, event)
    return {
      ...rest,
      ...(connections.length > 0 ? { connections } : {}),
      status: agent.currentTasks.length > 0 ? 'busy' : 'registered',
      ...(agentType === undefined ? {} : { agentType }),
      capabilities: textList(data['capabilities']) ?? agent.capabilities,
      maxTasks: Math.max(1, maxTasks),
      owner: event.metadata.source,
      registeredAt,
    }
  }),
  'agent.heartbeat': folded((agent, data, event) => {
    const reportedTasks = textList(data['currentTasks'])
    const metrics = bag(data['systemMetrics'])
    return {
      ...seen(agent, event),
      status: agent.status === 'registered' ? 'idle' : agent.status,
      ...(reportedTasks ? { reportedTasks } : {}),
      ...(metrics ? { metrics } : {}),
    }
  }),
  'agent.status_changed': folded((agent, data, event) => {
    const metrics = bag(data['metrics'])
    // What the hub derives of a silent agent is no sign of its life.
    const own = event.metadata.source === '/hub' ? agent : seen(agent, event)
    const connections = data['status'] === 'offline' && agent.connections ? { connections: [] } : {}
    return { ...own, ...texts(data, 'agentType'), ...(isStatus(data['status']) ? { status: data['status'] } : {}), ...(metrics ? { metrics } : {}), ...connections }
  }),
  'connection.opened': folded((agent, data, event) => {
    const { connectionId, agentType } = texts(data, 'connectionId', 'agentType')
    if (connectionId === undefined) return agent
    const others = (agent.connections ?? []).filter((id) => id !== connectionId)
    return { ...seen(agent, event), ...(agent.agentType === undefined && agentType !== undefined ? { agentType } : {}), connections: [...others, connectionId] }
  }),
  // Only its own: the late end of an older connection must not lose the newer one.
  'connection.closed': known((agent, data) => ({ ...agent, connections: (agent.connections ?? []).filter((id) => id !== data['connectionId']) })),
  'agent.forgotten': { ids: AGENT_ID, reduce: () => undefined },

  'task.accepted': known((agent, data, event) => {
    const { taskId } = texts(data, 'taskId')
    return taskId === undefined ? signed(agent, event) : holding(signed(agent, event), [...agent.currentTasks.filter((id) => id !== taskId), taskId])
  }),
  'task.started': known((agent, _data, event) => signed(agent, event)),
  'task.progress': known((agent, _data, event) => signed(agent, event)),
  'task.rejected': known(leaving),
  'task.lease_lost': known(leaving),
  'task.completed': known(leaving),
  'task.failed': known(leaving),
  'task.cancelled': known(leaving),
  'task.forgotten': known(leaving),
}

/** An agent that speaks is known; so is one that the hub was told of. */
function folded(fold: Fold): Reducer<Agent> {
  return { ids: AGENT_ID, reduce: (before, event, id) => stamped(before, fold(before ?? unheard(id, event), dataOf(event), event), event) }
}

function known(fold: Fold): Reducer<Agent> {
  return { ids: AGENT_ID, reduce: (before, event) => before && stamped(before, fold(before, dataOf(event), event), event) }
}

function stamped(before: Agent | undefined, after: Agent, event: HubEvent): Agent {
  return after === before ? after : { ...after, updatedAt: timeOf(event) }
}

function unheard(id: string, event: HubEvent): Agent {
  const at = timeOf(event)
  return { id, createdAt: at, updatedAt: at, status: 'idle', capabilities: [], maxTasks: 1, lastSeenAt: at, currentTasks: [] }
}

function seen(agent: Agent, event: HubEvent): Agent {
  const at = timeOf(event)
  return at > agent.lastSeenAt ? { ...agent, lastSeenAt: at } : agent
}

/** A report of its own is a sign of life; others may speak of it, too. */
function signed(agent: Agent, event: HubEvent): Agent {
  // An id with half a character is nobody's, and no URI can hold it.
  if (/\p{Cs}/u.test(agent.id) || event.metadata.source !== `/agents/${encodeURIComponent(agent.id)}`) return agent
  return event.metadata.recordedAt - Date.parse(agent.lastSeenAt) < SIGN_MS ? agent : seen(agent, event)
}

function leaving(agent: Agent, data: Data, event: HubEvent): Agent {
  const from = signed(agent, event)
  return agent.currentTasks.some((id) => id === data['taskId']) ? holding(from, agent.currentTasks.filter((id) => id !== data['taskId'])) : from
}

/** Idle and busy follow from what it holds; whatever else it is said to be stays. */
function holding(agent: Agent, currentTasks: readonly string[]): Agent {
  const status = currentTasks.length > 0 ? (agent.status === 'idle' || agent.status === 'registered' ? 'busy' : agent.status) : agent.status === 'busy' || agent.status === 'stalled' ? 'idle' : agent.status
  return { ...agent, currentTasks, status }
}

const STATUSES: ReadonlySet<unknown> = new Set<AgentStatus>(['registered', 'idle', 'busy', 'error', 'stalled', 'stale', 'offline'])

function isStatus(value: unknown): value is AgentStatus {
  return STATUSES.has(value)
}
