/**
 * An agent speaks only for itself: what it leaves out is filled in with its own id, what names another agent is refused.
 * Nobody but services and admins puts anything into an agent's mailbox (I6).
 */
import { HubError, canonicalType, type NormalEvent } from '@hubbub/protocol'
import { findEntry, type Entry } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'

/** Carried verbatim: nothing is added to another protocol's data. Where it names an agent all the same, it goes to that agent's topic. */
const VERBATIM = new Set(['agui', 'custom'])

/** The canonical entry of whatever a producer calls the type. */
export function entryNamed(input: unknown): Entry | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const { type, event_type: old } = input as { type?: unknown; event_type?: unknown }
  const name = type ?? old
  return typeof name === 'string' ? findEntry(canonicalType(name) ?? name) : undefined
}

/** Before validation, because the field is often required: the input, or a copy in which the agent's id is filled in. */
export function signed(identity: Identity, input: unknown): unknown {
  const entry = entryNamed(input)
  const field = speakerField(identity, entry)
  if (field === undefined || VERBATIM.has(entry!.family)) return input
  const message = input as Record<string, unknown>
  const key = message.data === undefined && message.payload !== undefined ? 'payload' : 'data'
  const data = message[key] ?? {}
  if (typeof data !== 'object' || Array.isArray(data)) return input
  const snake = field === 'agentId' ? 'agent_id' : 'from_agent'
  if (Object.hasOwn(data, field) || Object.hasOwn(data, snake)) return input
  return { ...message, [key]: { ...data, [field]: identity.subject } }
}

/** After validation. Throws INSUFFICIENT_PERMISSIONS where the event speaks for somebody else, AGENT_NOT_IDENTIFIED for a beat of nobody's. */
export function requireOwnVoice(identity: Identity, event: NormalEvent): void {
  const agent = identity.role === 'agent'
  const mails = identity.role === 'service' || identity.role === 'admin'
  for (const topic of event.topics) {
    if ((topic.startsWith('inbox:') && !mails) || (agent && topic.startsWith('agent:') && topic !== `agent:${identity.subject}`)) {
      throw new HubError('INSUFFICIENT_PERMISSIONS', `The identity may not add the topic ${topic}.`, { topic, needed: 'a service token' })
    }
  }
  if (event.type === 'agent.heartbeat' && (event.data as Record<string, unknown>)['agentId'] === undefined) throw new HubError('AGENT_NOT_IDENTIFIED')
  const field = speakerField(identity, findEntry(event.type))
  const named = field === undefined ? undefined : (event.data as Record<string, unknown> | null)?.[field]
  if (named !== undefined && named !== identity.subject) {
    const path = `data.${field}`
    throw new HubError('INSUFFICIENT_PERMISSIONS', 'An agent speaks only for itself.', { path, needed: `a token of the agent that ${path} names` })
  }
}

/** The field in which a type names the agent that speaks; undefined where there is none, or the identity is no agent. */
function speakerField(identity: Identity, entry: Entry | undefined): 'agentId' | 'fromAgent' | undefined {
  if (identity.role !== 'agent' || !entry) return undefined
  if (entry.type === 'agent.handoff') return 'fromAgent'
  return entry.fields.some(({ name }) => name === 'agentId') || entry.topics.some((topic) => topic.includes('{agentId}')) ? 'agentId' : undefined
}
