/** What a connection asked for, and whether an entry is it. */
import { isAfter, isWildcard, topicMatches, typeMatches, type Filter, type HubEvent, type Offset } from '@hubbub/protocol'
import type { TailEntry } from './entry.js'

/** What is matched; equal interests are one matcher, whoever holds them. */
export interface Interest {
  readonly topics: readonly string[]
  readonly types?: readonly string[]
  readonly filter?: Filter
}

export interface Subscription extends Interest {
  readonly id: string
  /** Events behind this offset count; those at or before it were in an answer, or came before the subscription. */
  readonly from: Offset
}

/** Equal text for equal interests: order and repetition of topics and types do not count. */
export function interestKey(interest: Interest): string {
  const filter = interest.filter && Object.entries(interest.filter).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([sorted(interest.topics), interest.types ? sorted(interest.types) : 0, filter ?? 0])
}

export function matches(interest: Interest, event: HubEvent): boolean {
  return matchesTopics(interest.topics, event.topics) && passes(interest, event)
}

/** Types and filter only: for callers that found the interest by topic. */
export function passes(interest: Interest, event: HubEvent): boolean {
  if (interest.types && !interest.types.some((pattern) => typeMatches(pattern, event.type))) return false
  return !interest.filter || passesFilter(interest.filter, event)
}

/** I2: each event behind the subscription's own offset, once however many subscriptions take it. */
export function wanted(subscriptions: Iterable<Subscription>, entry: TailEntry): boolean {
  for (const subscription of subscriptions) {
    if (isAfter(entry.offset, subscription.from) && matches(subscription, entry.event)) return true
  }
  return false
}

/** Topics by which the journal's index can be asked; undefined when a wildcard makes a scan necessary. */
export function indexedTopics(interests: Iterable<Interest>): string[] | undefined {
  const topics = new Set<string>()
  for (const interest of interests) {
    for (const topic of interest.topics) {
      if (isWildcard(topic)) return undefined
      topics.add(topic)
    }
  }
  return [...topics]
}

function matchesTopics(patterns: readonly string[], topics: readonly string[]): boolean {
  for (const pattern of patterns) for (const topic of topics) if (topicMatches(pattern, topic)) return true
  return false
}

/** Keys whose value in the event is a list, asked for by the name of one. */
const LISTS: Readonly<Record<string, string>> = { capability: 'capabilities', agentTypes: 'agentType', capabilities: 'capabilities' }

function passesFilter(filter: Filter, event: HubEvent): boolean {
  for (const key of Object.keys(filter)) if (!holds(lookUp(event.data, LISTS[key] ?? key), filter[key])) return false
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

function sorted(list: readonly string[]): string[] {
  return [...new Set(list)].sort()
}
