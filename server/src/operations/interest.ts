/** What every way of reading asks first: is the request well-formed, and may this identity see these topics (I6)? */
import { HubError, type Filter, type Interest } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import { may, needed } from '../access/permissions.js'

export function grantedInterest(identity: Identity, request: { topics: string[]; types?: string[]; filter?: Filter }): Interest {
  for (const topic of request.topics) {
    if (!may(identity, 'subscribe', topic)) {
      throw new HubError('INSUFFICIENT_PERMISSIONS', `Not permitted to subscribe to ${topic}.`, { topic, needed: needed('subscribe', topic) })
    }
  }
  return { topics: [...new Set(request.topics)], types: request.types && [...new Set(request.types)], filter: request.filter }
}
