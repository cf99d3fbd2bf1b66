/** What a `subscribe` of this dialect asks for: resources by several spellings, events by their whole names or the ends of them. */
import { canonicalType, HubError, isTypePattern } from '@hubbub/protocol'
import { findEntry } from '@hubbub/protocol/catalogue'

type Data = Readonly<Record<string, unknown>>

/** Fields that name a resource, and its family of topics. */
const FIELDS: readonly (readonly [string, string])[] = [
  ['agentId', 'agent'], ['agent_id', 'agent'], ['taskId', 'task'], ['task_id', 'task'], ['pipelineId', 'pipeline'], ['pipeline_id', 'pipeline'],
  ['workflowId', 'pipeline'], ['workflow_id', 'pipeline'], ['streamId', 'stream'], ['stream_id', 'stream'], ['repository', 'repo'],
]
/** Kinds of resources that are called otherwise in topics. */
const FAMILIES: ReadonlyMap<string, string> = new Map([['workflow', 'pipeline'], ['github', 'repo'], ['repository', 'repo'], ['repositories', 'repo'], ['tdd', 'task']])
/** Before an event's short name: `status` of an agent is `agent_status`. */
const PREFIXES = ['', 'agent_', 'task_', 'tdd_', 'workflow_', 'system_', 'github_']
/** All events of a kind, by the dialect's names. What an agent says of its task is a task's event. */
const WHOLE: Readonly<Record<string, readonly string[]>> = {
  '*': ['*'], all: ['*'], 'agent_*': ['agent.*', 'task.progress'], 'tdd_*': ['tdd.*'], 'workflow_*': ['pipeline.*'], 'system_*': ['system.*'], 'github_*': ['github.*'],
}
const PACE = ['filter', 'since', 'snapshot', 'batchMs', 'latestOnly'] as const

/** The hub's `subscribe`. Without a resource: these events, wherever. @throws HubError INVALID_MESSAGE */
export function requestIn(data: Data): { topics: string[]; types?: string[]; since?: unknown } {
  const types = typesIn(data)
  const named = topicsIn(data)
  if (named.length === 0 && types === undefined) {
    throw new HubError('INVALID_MESSAGE', '`data` names what to subscribe to: topics, resource, agentId, taskId, workflowId, repository or events.', { path: 'data' })
  }
  const options = Object.fromEntries(PACE.filter((name) => data[name] !== undefined).map((name) => [name, data[name]]))
  return { ...options, topics: named.length === 0 ? ['*'] : named, ...(types && { types }) }
}

/** The topics that the fields name together; what they are no topics of is refused by whoever is asked. */
export function topicsIn(data: Data): string[] {
  const topics = [...list(data['topics'] ?? data['topic'], 'topics')]
  for (const resource of data['resources'] === undefined ? [data['resource']] : entries(data['resources'])) if (resource !== undefined) topics.push(topicOf(resource, data))
  for (const [field, family] of FIELDS) if (data[field] !== undefined) for (const id of list(data[field], field)) topics.push(`${family}:${id}`)
  return [...new Set(topics)]
}

/** `agent:coder-1`, `{ type: 'agent', id: 'coder-1' }`, `agent` beside a `resourceId`, or `agent` alone: all of them. */
function topicOf(resource: unknown, data: Data): string {
  const { type, id } = typeof resource === 'object' && resource !== null ? (resource as Data) : { type: resource, id: data['resourceId'] ?? data['resource_id'] }
  if (typeof type !== 'string' || (id !== undefined && typeof id !== 'string')) throw wrong('resource', 'is no `family:id` and no { type, id }')
  const [kind, own] = split(type)
  const single = kind.endsWith('s') ? kind.slice(0, -1) : kind
  const family = FAMILIES.get(kind) ?? FAMILIES.get(single) ?? single
  if (kind === 'system' || kind === 'project' || kind === '*') return kind
  return `${family}:${own ?? id ?? '*'}`
}

function split(text: string): [string, string?] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)]
}

function typesIn(data: Data): string[] | undefined {
  const given = data['events'] ?? data['types'] ?? data['eventTypes'] ?? data['event_types']
  return given === undefined ? undefined : [...new Set(list(given, 'events').flatMap(typesNamed))]
}

function typesNamed(name: string): readonly string[] {
  if (Object.hasOwn(WHOLE, name)) return WHOLE[name]!
  for (const form of name.endsWith('s') ? [name, name.slice(0, -1)] : [name]) {
    for (const prefix of PREFIXES) {
      const type = canonicalType(`${prefix}${form}`)
      // `error` alone is the protocol's, and no event.
      if (type !== undefined && findEntry(type)) return [type]
    }
  }
  // A canonical type has a dot. A word that nothing is called by would be waited for in vain.
  if (!name.includes('.') || !isTypePattern(name)) throw wrong('events', `has no event that is called ${name.slice(0, 64)}`)
  return [name]
}

/** A text, or a list of texts. */
function list(value: unknown, path: string): string[] {
  const all = value === undefined ? [] : entries(value)
  if (!all.every((item) => typeof item === 'string')) throw wrong(path, 'is neither a text nor a list of texts')
  return all
}

function entries(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value]
}

function wrong(path: string, problem: string): HubError {
  return new HubError('INVALID_MESSAGE', `data.${path} ${problem}.`, { path: `data.${path}`, problem })
}
