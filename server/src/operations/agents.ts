/** Agents make themselves known: `agent.register`. What becomes of them is the processor's to say; here is who may, and what is told. */
import { HubError, partitionOf, type Agent, type AgentRegistered, type AgentRegistration, type EventInput } from '@hubbub/protocol'
import { checkRegistration } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'
import { isAdmin, may, needed } from '../access/permissions.js'
import type { Settings } from '../settings/table.js'
import type { StateStore } from '../store/port.js'

/** What the agents need of intake. */
export interface Announcer {
  announce(identity: Identity, input: EventInput): Promise<unknown>
}

/** What is known of the agent behind a connection. */
export interface Profile {
  agentType?: string
  capabilities: readonly string[]
}

export interface Registration {
  answer: AgentRegistered
  profile: Profile
}

export interface AgentDeps {
  announcer: Announcer
  state: Pick<StateStore, 'select'>
  partitions: number
  settings: Pick<Settings, 'heartbeatMs' | 'staleMs' | 'offlineMs'>
}

const REGISTERED = 'agent.registered'

/** Resolves when the registration is committed. Rejects with `HubError`: DUPLICATE_AGENT while a live agent of that id is somebody else's. */
export async function register({ announcer, settings }: AgentDeps, identity: Identity, input: unknown): Promise<Registration> {
  const asked = checkRegistration(input)
  const agentId = registrable(identity, asked)
  const agentType = asked.agentType ?? identity.agentType
  const capabilities = asked.capabilities ?? [...(identity.capabilities ?? [])]
  const registeredAt = new Date().toISOString()
  const permissions = [...identity.permissions]
  const data = { agentId, status: 'registered', ...(agentType !== undefined && { agentType }), capabilities, maxTasks: asked.maxTasks ?? 1, registeredAt, permissions }
  await announcer.announce(identity, { type: REGISTERED, data })
  const { heartbeatMs, staleMs, offlineMs } = settings
  return {
    answer: { agentId, status: 'registered', registeredAt, permissions, heartbeat: { intervalMs: heartbeatMs, staleMs, offlineMs } },
    profile: { ...(agentType !== undefined && { agentType }), capabilities },
  }
}

/** The id to register. An agent speaks only for itself; services and admins speak for agents that they name. */
function registrable(identity: Identity, { agentId }: AgentRegistration): string {
  const speaksForOthers = identity.role === 'service' || isAdmin(identity)
  if (identity.role !== 'agent' && (!speaksForOthers || agentId === undefined)) throw new HubError('AGENT_NOT_IDENTIFIED')
  if (!may(identity, 'publish', REGISTERED)) {
    throw new HubError('INSUFFICIENT_PERMISSIONS', 'The identity may not register agents.', { needed: needed('publish', REGISTERED) })
  }
  const id = agentId ?? identity.subject
  if (identity.role === 'agent' && id !== identity.subject) {
    throw new HubError('INSUFFICIENT_PERMISSIONS', 'An agent registers only itself.', { path: 'agentId', needed: 'a token of the agent that agentId names' })
  }
  return id
}

/** What the agent said when it registered, on whatever connection; undefined when it did not, or was forgotten since. */
export async function recall({ state, partitions }: AgentDeps, identity: Identity): Promise<Profile | undefined> {
  const { project, subject } = identity
  const { entities } = await state.select(partitionOf(project, partitions), project, [{ kind: 'agent', ids: [subject] }], { count: 1, bytes: 1 })
  const agent = entities[0] && (JSON.parse(entities[0].json) as Agent)
  if (agent?.registeredAt === undefined) return undefined
  return { ...(agent.agentType !== undefined && { agentType: agent.agentType }), capabilities: agent.capabilities }
}
