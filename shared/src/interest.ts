/** What a subscription asks for, and whether an event is it: one reading, in the hub's fan-out and in the SDKs. */
import type { HubEvent } from './envelope.js'
import type { Filter } from './messages.js'
import { topicMatches, typeMatches } from './topics.js'

/** What is matched; equal interests are one matcher, whoever holds them. */
export interface Interest {
  readonly topics: readonly string[]
  readonly types?: readonly string[]
  readonly filter?: Filter
}

/** Topic, type and filter must all fit. */
export function matches(interest: Interest, event: HubEvent): boolean {
  return matchesTopics(interest.topics, event.topics) && passes(interest, event)
}

/** Types and filter only: for callers that found the interest by topic. */
export function passes(interest: Interest, event: HubEvent): boolean {
  if (interest.types && !interest.types.some((pattern) => typeMatches(pattern, event.type))) return false
  return !interest.filter || passesFilter(interest.filter, event)
}

function matchesTopics(patterns: readonly string[], topics: readonly string[]): boolean {
  for (const pattern of patterns) for (const topic of topics) if (topicMatches(pattern, topic)) return true
  return false
}

/** Keys that ask for one of a list, or for one value by a plural. */
const FIELDS: Readonly<Record<string, string>> = { capability: 'capabilities', agentTypes: 'agentType' }

function passesFilter(filter: Filter, event: HubEvent): boolean {
  for (const key of Object.keys(filter)) if (!holds(lookUp(event.data, Object.hasOwn(FIELDS, key) ? FIELDS[key]! : key), filter[key])) return false
  return true
}

function holds(value: unknown, expected: unknown): boolean {
  return Array.isArray(value) ? value.includes(expected) : value === expected
}

function lookUp(data: unknown, path: string): unknown {
  let value: unknown = data
  for (const step of (path.startsWith('data.') ? path.slice(5) : path).split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}
