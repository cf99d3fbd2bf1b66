/** What every way of reading asks first: is the request well-formed, and may this identity see these topics (I6)? */
import { HubError, type Filter, type Interest, type SubscribeRequest } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import { may, needed } from '../access/permissions.js'
import type { Pace } from '../fanout/subscription.js'

/** `latestOnly` without a time of its own gathers for so long, ms. */
const LATEST_MS = 250

export function grantedInterest(identity: Identity, request: { topics: string[]; types?: string[]; filter?: Filter }): Interest {
  for (const topic of request.topics) {
    if (!may(identity, 'subscribe', topic)) {
      throw new HubError('INSUFFICIENT_PERMISSIONS', `Not permitted to subscribe to ${topic}.`, { topic, needed: needed('subscribe', topic) })
    }
  }
  return { topics: [...new Set(request.topics)], types: request.types && [...new Set(request.types)], filter: request.filter }
}

/** Undefined: each event goes at once. */
export function paceAsked({ batchMs, latestOnly = false }: SubscribeRequest): Pace | undefined {
  const ms = batchMs ?? (latestOnly ? LATEST_MS : 0)
  return ms > 0 ? { ms, latestOnly } : undefined
}
