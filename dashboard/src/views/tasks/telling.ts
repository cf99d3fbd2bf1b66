/** A task's life as sentences: who did what, and why something ended. */
import type { HubEvent } from '@hubbub/client'
import type { Tone } from '../../parts/Status'

export interface Entry {
  key: string
  /** ms since the epoch, the hub's clock; undefined: not known any more. */
  at: number | undefined
  tone: Tone
  what: string
  /** Whom it is about. */
  agentId?: string
  /** In others' words. */
  detail?: string
  /** Of the delegation that it belongs to. */
  attempt?: number
  /** A time that matters as long as nothing followed, ISO 8601, and how it is called. */
  due?: { what: string; at: string }
}

type Data = Record<string, unknown>
type Told = Omit<Entry, 'key' | 'at'>

const TELLERS: Readonly<Record<string, (data: Data, event: HubEvent) => Told>> = {
  'task.created': (data, { metadata: { source } }) => ({ tone: 'idle', what: data['managed'] === true ? 'handed in' : 'first reported', detail: `by ${source}` }),
  'task.updated': (data) => ({ tone: 'idle', what: 'changed', ...detail(fieldsOf(data)) }),
  'task.delegated': (data) => ({ tone: 'busy', what: 'offered to', ...agent(data), ...attempt(data), ...due('to be accepted by', data['leaseUntil']) }),
  'task.accepted': (data) => ({ tone: 'busy', what: 'accepted by', ...agent(data) }),
  'task.rejected': (data) => ({ tone: 'warn', what: 'rejected by', ...agent(data), ...detail(data['reason']) }),
  'task.started': (data) => ({ tone: 'busy', what: 'begun by', ...agent(data) }),
  'task.lease_lost': (data) => ({ tone: 'bad', what: 'lost by', ...agent(data), ...attempt(data), ...detail(data['reason']), ...due('again from', data['retryAt']) }),
  'task.blocked': (data) => ({ tone: 'warn', what: 'blocked', ...detail(data['blockedReason']) }),
  'task.paused': () => ({ tone: 'warn', what: 'paused' }),
  'task.cancel_requested': (data) => ({ tone: 'warn', what: 'asked to stop', ...agent(data), ...detail([data['by'], data['reason']].filter((one) => typeof one === 'string').join(': ')) }),
  'task.result': (data) => ({ tone: 'good', what: 'result delivered', ...agent(data) }),
  'task.completed': (data) => ({ tone: 'good', what: 'completed', ...agent(data) }),
  'task.failed': (data) => ({ tone: 'bad', what: 'failed', ...agent(data), ...detail([data['error'], data['cause']].filter((one) => typeof one === 'string').join(' · ')) }),
  'task.cancelled': (data) => ({ tone: 'idle', what: data['confirmed'] === false ? 'cancelled, unconfirmed' : 'cancelled', ...agent(data), ...detail(data['reason']) }),
  'task.status_changed': (data) => ({ tone: 'idle', what: `status: ${text(data['oldStatus']) ?? '—'} → ${text(data['newStatus']) ?? '—'}` }),
  'task.forgotten': (data) => ({ tone: 'idle', what: 'forgotten by the hub', ...detail(data['reason']) }),
  'agent.handoff': (data) => ({ tone: 'mark', what: 'handed over to', ...agent({ agentId: data['toAgent'] }), detail: `from ${text(data['fromAgent']) ?? '—'}${text(data['handoffContext']) ? `: ${text(data['handoffContext'])}` : ''}` }),
  'checkpoint.created': (data) => ({ tone: 'mark', what: 'checkpoint', ...detail([data['executionPhase'], data['trigger']].filter((one) => typeof one === 'string').join(', ') || data['checkpointId']) }),
}

/** Undefined for what other panels show. */
export function entryOf(event: HubEvent, data: Data): Entry | undefined {
  const { type, id, metadata } = event
  // What the hub adds to somebody's report says the same again.
  if (type === 'task.status_changed' && metadata.source === '/hub') return undefined
  const tell = Object.hasOwn(TELLERS, type) ? TELLERS[type] : undefined
  // An id is its producer's: another's may be the same.
  return tell && { key: `${metadata.source} ${id}`, at: metadata.recordedAt, ...agentOfSource(metadata.source, type), ...tell(data, event) }
}

/** Reports of an agent name it nowhere but in their source. */
function agentOfSource(source: string, type: string): Pick<Entry, 'agentId'> {
  const id = /^\/agents\/(.+)$/.exec(source)?.[1]
  return id === undefined || !['task.accepted', 'task.rejected', 'task.started', 'task.result'].includes(type) ? {} : { agentId: decoded(id) }
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function detail(value: unknown): Pick<Entry, 'detail'> {
  const found = text(value)
  return found === undefined ? {} : { detail: found }
}

function agent({ agentId }: Data): Pick<Entry, 'agentId'> {
  const id = text(agentId)
  return id === undefined ? {} : { agentId: id }
}

function attempt(data: Data): Pick<Entry, 'attempt'> {
  return typeof data['attempt'] === 'number' ? { attempt: data['attempt'] } : {}
}

function due(what: string, at: unknown): Pick<Entry, 'due'> {
  return typeof at === 'string' ? { due: { what, at } } : {}
}

function fieldsOf({ changes, ...others }: Data): string {
  const listed = Array.isArray(changes) ? (changes as { field?: unknown }[]).map(({ field }) => text(field)).filter((one) => one !== undefined) : []
  return [...listed, ...Object.keys(others).filter((name) => name !== 'taskId' && name !== 'updatedAt' && name !== 'managed')].join(', ')
}
