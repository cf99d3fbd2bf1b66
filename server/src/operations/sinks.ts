/**
 * Sinks: outgoing webhooks. Added, listed, paused, resumed and removed on an identity's behalf; `gateway/sinks` delivers. A sink reads
 * as the identity that made it, or resumed it last; whoever may not subscribe to its topics does not see it (I6).
 */
import { HubError, parseCursor, partitionOf, type Cursor, type Filter, type Gap, type HistoryResult } from '@hubbub/protocol'
import { checkSubscribe } from '@hubbub/protocol/catalogue'
import { sourceOf, type Identity } from '../access/identity.js'
import { isAdmin, may } from '../access/permissions.js'
import { cursorAt } from '../fanout/epochs.js'
import { hubErrorOf } from '../store/failure.js'
import type { SinkProgress, SinkReader, SinkRecord, Sinks, StoredSink } from '../store/port.js'
import { following, type FollowDeps } from './follow.js'
import type { Destinations } from './sinks-destination.js'
import { readSink } from './sinks-request.js'

export interface SinkDeskDeps extends FollowDeps {
  sinks: Sinks
  partitions: number
  destinations: Destinations
  history: (identity: Identity, input: unknown, signal: AbortSignal) => Promise<HistoryResult>
  /** Told when there may be something to deliver, or to stop delivering, at once. */
  onChange?: () => void
}

/** What may be shown of a sink: neither its secret nor the values of its headers. */
export interface SinkView {
  id: string
  /** Without its query; of chat formats without its path, too, which is their password. */
  url: string
  topics: string[]
  types?: string[]
  filter?: Filter
  format: SinkRecord['format']
  template?: string
  /** Names only. */
  headers: string[]
  hasSecret: true
  createdAt: number
  /** As whom it reads. */
  reader: string
  status: 'active' | 'failing' | 'paused'
  reason?: string
  cursor: Cursor
  deliveries: number
  deliveredAt?: number
  /** Attempts so far on the event that could not be delivered yet; 0 when there is none. */
  attempts: number
  lastError?: { message: string; at: number; since: number; event: string }
  gap?: SinkProgress['gap']
  /** That delivers it now. */
  worker?: string
}

/** Events behind the cursor: how many (`more`: at least so many), and the age of the oldest, ms. */
export interface SinkLag {
  events: number
  more: boolean
  ms: number
}

/** All reject with `HubError`. */
export interface SinkDesk {
  /** `secret` is shown here only. `gap`: of what `since` asked for, that can no longer be had. */
  add(identity: Identity, input: unknown): Promise<SinkView & { secret: string; gap?: Gap }>
  list(identity: Identity): Promise<SinkView[]>
  get(identity: Identity, id: string): Promise<SinkView & { lag: SinkLag }>
  pause(identity: Identity, id: string): Promise<SinkView>
  /** It goes on from where it stood, and reads as the identity from now on. */
  resume(identity: Identity, id: string): Promise<SinkView>
  remove(identity: Identity, id: string): Promise<void>
}

export function createSinkDesk(deps: SinkDeskDeps): SinkDesk {
  const { sinks, onChange } = deps
  const partition = ({ project }: Identity): number => partitionOf(project, deps.partitions)
  const find = (identity: Identity, id: string) => findSink(deps, identity, partition(identity), id)
  const steer = async (identity: Identity, id: string, to: Parameters<Sinks['steer']>[3]): Promise<SinkView> => {
    await find(identity, id)
    if (!(await sinks.steer(partition(identity), identity.project, id, to))) throw noSink(id)
    onChange?.()
    return viewOf(await find(identity, id))
  }
  return guarded({
    async add(identity, input) {
      requireOperator(identity)
      const { record, cursor, gap } = await recordOf(deps, identity, input)
      const outcome = await sinks.add(partition(identity), record, cursor, deps.settings.maxSinks)
      if (outcome === 'exists') throw new HubError('BUSINESS_LOGIC_ERROR', 'There is a sink of that id already.', { id: record.id })
      if (outcome === 'full') throw new HubError('SUBSCRIPTION_LIMIT', 'The project has as many sinks as it may.', { limit: deps.settings.maxSinks, unit: 'sinks', setting: 'HUBBUB_MAX_SINKS' })
      onChange?.()
      return { ...viewOf(await find(identity, record.id)), secret: record.secret, ...(gap && { gap: { ...gap, at: Date.now() } }) }
    },
    async list(identity) {
      requireOperator(identity)
      return (await sinks.list(partition(identity), identity.project)).filter((sink) => sees(identity, sink)).map(viewOf)
    },
    async get(identity, id) {
      const sink = await find(identity, id)
      return { ...viewOf(sink), lag: await lagOf(deps, identity, sink) }
    },
    pause: (identity, id) => steer(identity, id, { status: 'paused', reason: `paused by ${identity.subject}` }),
    async resume(identity, id) {
      const { record } = await find(identity, id)
      // Its address may have been allowed under other settings, or led elsewhere.
      await deps.destinations.checkTarget(record.url)
      return await steer(identity, id, { status: 'active', reader: readerOf(identity) })
    },
    async remove(identity, id) {
      await find(identity, id)
      if (!(await sinks.remove(partition(identity), identity.project, id))) throw noSink(id)
      onChange?.()
    },
  })
}

/** As the hub's other parts take it: what the sink's reader was when it was made. */
export function identityOfSink({ project, reader }: Pick<SinkRecord, 'project' | 'reader'>): Identity {
  return { ...reader, project, projects: [project] }
}

async function recordOf(deps: SinkDeskDeps, identity: Identity, body: unknown): Promise<{ record: SinkRecord; cursor: Cursor; gap?: Gap }> {
  const { spec, input } = readSink(body)
  const interest = { topics: input['topics'], types: input['types'], filter: input['filter'] }
  const { topics, types, filter } = checkSubscribe(definedOf(interest), deps.settings)
  // Permissions, and where it begins.
  const { cursor: start, gap } = await following(deps, identity, { subscriptions: [definedOf(interest)], since: input['since'] })
  const url = await deps.destinations.checkTarget(input['url'])
  const record: SinkRecord = {
    ...spec, project: identity.project, url: url.href, topics, ...(types && { types }), ...(filter && { filter }), createdAt: Date.now(), reader: readerOf(identity),
  }
  return { record, cursor: input['since'] === undefined ? await here(deps, identity) : start, ...(gap && { gap }) }
}

/** The journal's end, which may be further than this worker has read: what was committed before the request is not delivered. */
async function here({ journal, partitions }: SinkDeskDeps, { project }: Identity): Promise<Cursor> {
  const { last, epochs } = await journal.head(partitionOf(project, partitions))
  return cursorAt(last, epochs)
}

async function findSink({ sinks }: SinkDeskDeps, identity: Identity, partition: number, id: string): Promise<StoredSink> {
  requireOperator(identity)
  const sink = await sinks.get(partition, identity.project, id)
  if (!sink || !sees(identity, sink)) throw noSink(id)
  return sink
}

function sees(identity: Identity, { record }: StoredSink): boolean {
  return record.topics.every((topic) => may(identity, 'subscribe', topic))
}

/** A sink sends what it reads out of the hub, and outlives whoever asked for it. */
function requireOperator(identity: Identity): void {
  if (identity.role !== 'service' && !isAdmin(identity)) throw new HubError('INSUFFICIENT_PERMISSIONS', 'Services and admins handle sinks.', { needed: 'admin' })
}

function readerOf({ subject, role, permissions, via, issuedAt, keyId }: Identity): SinkReader {
  return { subject, role, permissions: [...permissions], via, ...(issuedAt !== undefined && { issuedAt }), ...(keyId !== undefined && { keyId }) }
}

function viewOf({ record, progress, status, reason, owner }: StoredSink): SinkView {
  const { id, topics, types, filter, format, template, createdAt } = record
  const { cursor, deliveries, deliveredAt, failure, gap } = progress
  return {
    id, url: shownUrl(record), topics, ...(types && { types }), ...(filter && { filter }), format, ...(template !== undefined && { template }),
    headers: Object.keys(record.headers ?? {}), hasSecret: true, createdAt, reader: sourceOf(identityOfSink(record)),
    status: status === 'active' && failure ? 'failing' : status, ...(reason !== undefined && { reason }),
    cursor, deliveries, ...(deliveredAt !== undefined && { deliveredAt }), attempts: failure?.attempts ?? 0,
    ...(failure && { lastError: { message: failure.message, at: failure.at, since: failure.since, event: failure.event } }),
    ...(gap && { gap }), ...(owner !== undefined && { worker: owner }),
  }
}

function shownUrl({ url: text, format }: SinkRecord): string {
  const url = new URL(text)
  const chat = format === 'slack' || format === 'discord'
  return `${url.protocol}//${url.port ? `${url.hostname}:${url.port}` : url.hostname}${chat ? '/...' : url.pathname}${url.search && !chat ? '?...' : ''}`
}

async function lagOf({ history }: SinkDeskDeps, identity: Identity, { record, progress }: StoredSink): Promise<SinkLag> {
  const { topics, types, filter } = record
  const { events, more } = await history(identity, { topics, ...definedOf({ types, filter }), since: progress.cursor }, new AbortController().signal)
  const [oldest] = events
  const at = oldest && parseCursor(oldest.cursor)
  return { events: events.length, more, ms: at ? Math.max(0, Date.now() - Number(at.offset.split('-')[0])) : 0 }
}

function definedOf(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** What the store throws becomes a failure that may be shown. */
function guarded(desk: SinkDesk): SinkDesk {
  const shown = <R>(answer: Promise<R>): Promise<R> => answer.catch((error: unknown) => {
    throw hubErrorOf(error)
  })
  return {
    add: (identity, input) => shown(desk.add(identity, input)),
    list: (identity) => shown(desk.list(identity)),
    get: (identity, id) => shown(desk.get(identity, id)),
    pause: (identity, id) => shown(desk.pause(identity, id)),
    resume: (identity, id) => shown(desk.resume(identity, id)),
    remove: (identity, id) => shown(desk.remove(identity, id)),
  }
}

function noSink(id: string): HubError {
  return new HubError('NOT_FOUND', 'There is no such sink.', { id })
}

