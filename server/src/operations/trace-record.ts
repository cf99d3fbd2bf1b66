/** Of a session that no worker knows: what its stored record, which outlives its connection, still tells. */
import { ORIGIN, type HubEvent, type Offset, type SessionAccount } from '@hubbub/protocol'
import { Chronicle, type Wire } from '../fanout/chronicle.js'
import { fateOf } from '../fanout/chronicle-fate.js'
import type { SessionRecord } from '../store/port.js'

/** @param silent workers that did not answer: it may be connected to one of them */
export function recordedAccount(session: string, record: SessionRecord, asked: { offset: Offset; event?: HubEvent }, silent: readonly string[]): SessionAccount {
  const wire: Wire = /^\d+\./.test(session) ? 'socketio' : 'websocket'
  const base = { session, subject: record.subject, worker: '', wire }
  if (silent.length > 0) return { ...base, fate: 'expired', why: `No worker that answered knows of it; it may be connected to one that did not: ${silent.join(', ')}.` }
  // As if it stood where the event does: only what its subscriptions say counts.
  const chronicle = new Chronicle({ session, wire }, record.project, '', { given: asked.offset, confirmed: undefined }, ORIGIN, 1)
  for (const subscription of record.subscriptions) chronicle.subscribed(subscription)
  const { fate, why, subscriptionId, given } = fateOf(chronicle, asked)
  if (fate !== 'live') return { ...base, fate, why, ...(subscriptionId !== undefined && { subscriptionId }), ...(given !== undefined && { given }) }
  const topics = record.subscriptions.find(({ id }) => id === subscriptionId)?.topics.slice(0, 5).join(', ')
  return {
    ...base, fate: 'disconnected', ...(subscriptionId !== undefined && { subscriptionId }),
    why: `No worker that lives knows of it. Its record says that it was subscribed${topics ? ` to ${topics}` : ''}; coming back behind its last cursor it is given the event while the journal has it.`,
  }
}
