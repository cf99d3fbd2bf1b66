/** Which of a connection's subscriptions an event is for: the hub sends it once, however many take it. */
import { topicMatches, typeMatches, type Filter, type HubEvent } from '@hubbub/protocol'

export interface Interest {
  readonly topics: readonly string[]
  readonly types?: readonly string[]
  readonly filter?: Filter
}

export function matches({ topics, types, filter }: Interest, event: HubEvent): boolean {
  if (!event.topics.some((topic) => topics.some((pattern) => topicMatches(pattern, topic)))) return false
  if (types && !types.some((pattern) => typeMatches(pattern, event.type))) return false
  return !filter || Object.entries(filter).every(([key, expected]) => holds(lookUp(event.data, LISTS[key] ?? key), expected))
}

/** Keys whose value in the event is a list, asked for by the name of one. Must be the hub's own table. */
const LISTS: Readonly<Record<string, string>> = { capability: 'capabilities', agentTypes: 'agentType' }

function holds(value: unknown, expected: unknown): boolean {
  return Array.isArray(value) ? value.includes(expected) : value === expected
}

function lookUp(data: unknown, path: string): unknown {
  let value = data
  for (const step of (path.startsWith('data.') ? path.slice(5) : path).split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}
