/** A connection's subscriptions, as the fan-out compares and looks them up. */
import { isAfter, isWildcard, matches, type Interest, type Offset } from '@hubbub/protocol'
import type { TailEntry } from './entry.js'

/** How live events may be gathered before they are sent. */
export interface Pace {
  /** Longest wait, ms. */
  readonly ms: number
  /** Of what was gathered only the last event of each topic and type. */
  readonly latestOnly: boolean
}

export interface Subscription extends Interest {
  readonly id: string
  /** Absent: each event goes at once. */
  readonly pace?: Pace
  /** Events behind this offset count; those at or before it were in an answer, or came before the subscription. */
  readonly from: Offset
}

/**
 * Id of the subscription to its mail that comes with an agent's connection. It was not asked for, so it counts against no limit, is
 * dropped with the connection only, and leaves agents with equal subscriptions in one audience.
 */
export const INBOX = 'inbox'

/** Equal text for equal interests: order and repetition of topics and types do not count. */
export function interestKey(interest: Interest & Pick<Subscription, 'pace'>): string {
  const filter = interest.filter && Object.entries(interest.filter).sort(([a], [b]) => (a < b ? -1 : 1))
  const key = [sorted(interest.topics), interest.types ? sorted(interest.types) : 0, filter ?? 0]
  return JSON.stringify(interest.pace ? [...key, interest.pace.ms, interest.pace.latestOnly] : key)
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

function sorted(list: readonly string[]): string[] {
  return [...new Set(list)].sort()
}
