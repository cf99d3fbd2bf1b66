/** What an upgrade's query asks for: `?topics=&types=&since=`, and what else a subscription may say, as for server-sent events. */
import type { Since } from '@hubbub/protocol'
import type { FollowRequest } from '../../operations/follow.js'
import { readSince, readSubscription } from '../http/history.js'

/** A cursor, a duration, `last:N` or `all`; undefined: from now on. Throws INVALID_CURSOR. */
export function sinceIn(query: URLSearchParams): Since | undefined {
  const since = query.get('since')
  return since ? readSince(since) : undefined
}

/** One subscription a topic, so that each can be left by itself; all of them begin at one place, and are read in one order. */
export function followIn(query: URLSearchParams): FollowRequest {
  const { topics, since, ...rest } = readSubscription(query)
  const subscriptions = [...new Set(topics)].map((topic) => ({ ...rest, topics: [topic] }))
  return { subscriptions, ...(since !== undefined && { since }) }
}
