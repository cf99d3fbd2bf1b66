/**
 * `GET /api/v1/history`: what stands in the journal, and, with `wait`, what comes next (long-poll).
 *
 *     topics=task:1,agent:*   repeated or comma-separated; `topic=` is one topic, commas and all
 *     types=task.*,agent.log  likewise
 *     since=10m | all | last:20 | <cursor>
 *     limit=100  wait=30      events; seconds
 *     format=cloudevents      or `Accept: application/cloudevents-batch+json`: a list of CloudEvents, cursor, more and gap in headers
 *     filter.stage=build      true, false, null and numbers are read as such; "3" in quotes is a text
 */
import { CLOUD_EVENT_BATCH, HubError, parseCursor, placedCloudEvent, type Cursor, type HistoryRequest, type HistoryResult, type Since, type SubscribeRequest } from '@hubbub/protocol'
import { Router, type Request, type Response } from 'express'
import { queryOf } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import { inboxOf } from '../../operations/inbox.js'
import { checkStillIn, identityOf } from './door.js'
import type { HttpDeps } from './needs.js'

export function createHistory({ operations, authenticator, over }: Pick<HttpDeps, 'operations' | 'authenticator' | 'over'>): Router {
  const router = Router()
  router.get('/history', async (request, response) => {
    const asked = readHistoryQuery(queryOf(request))
    const format = formatOf(request)
    const identity = identityOf(response)
    const [gone, stop] = [new AbortController(), new AbortController()]
    const enough = () => stop.abort()
    response.once('close', () => {
      gone.abort()
      enough()
      over?.removeEventListener('abort', enough)
    })
    over?.addEventListener('abort', enough)
    if (over?.aborted) enough()
    const taken = mailTaken(identity, asked)
    if (taken !== undefined) operations.mailTaken(identity, taken)
    try {
      const result = await operations.history(identity, asked, stop.signal)
      if (gone.signal.aborted) return
      checkStillIn(authenticator, identity)
      if (format === 'json') response.json({ ok: true, ...result })
      else answerInCloudEvents(response, result)
    } catch (error) {
      // A client that hung up while waiting is no failure.
      if (!gone.signal.aborted) throw error
    }
  })
  return router
}

/**
 * Whoever asks for its mail behind a cursor has what was before it. Only where it asks for all of its mail and nothing else: of a
 * narrower choice, or a cursor of other reading, nobody knows what was left out.
 */
function mailTaken(identity: Identity, { topics, types, filter, since }: HistoryRequest): Cursor | undefined {
  const whole = topics.length === 1 && topics[0] === inboxOf(identity) && !types && !filter
  return whole && typeof since === 'string' && parseCursor(since) ? since : undefined
}

/** `?format=` wins over `Accept`, for whoever cannot set a header. Throws INVALID_MESSAGE. */
function formatOf(request: Request): 'json' | 'cloudevents' {
  const asked = queryOf(request).get('format')
  if (asked === 'json' || asked === 'cloudevents') return asked
  if (asked) throw new HubError('INVALID_MESSAGE', '`format` must be json or cloudevents.', { field: 'format' })
  return request.accepts(['application/json', CLOUD_EVENT_BATCH]) === CLOUD_EVENT_BATCH ? 'cloudevents' : 'json'
}

/** The body is the list alone; what else there is to say stands in headers. */
function answerInCloudEvents(response: Response, { events, cursor, more, gap }: HistoryResult): void {
  response.set({ 'Hubbub-Cursor': cursor, 'Hubbub-More': String(more), ...(gap && { 'Hubbub-Gap': JSON.stringify(gap) }) })
  response.type(CLOUD_EVENT_BATCH).send(JSON.stringify(events.map(placedCloudEvent)))
}

/** Only translates; what it means is checked behind it. Throws INVALID_MESSAGE or INVALID_CURSOR. */
export function readHistoryQuery(query: URLSearchParams): HistoryRequest {
  const request: HistoryRequest = { topics: [...listOf(query, 'topics'), ...query.getAll('topic')] }
  if (query.has('types')) request.types = listOf(query, 'types')
  const since = query.get('since')
  if (since) request.since = readSince(since)
  for (const name of ['limit', 'wait'] as const) {
    const text = query.get(name)
    if (text) request[name] = readNumber(name, text)
  }
  const fields = [...query].filter(([name]) => name.startsWith('filter.'))
  if (fields.length > 0) request.filter = Object.fromEntries(fields.map(([name, text]) => [name.slice('filter.'.length), readLiteral(text)]))
  return request
}

/** Likewise of a subscription from the connection's beginning, with its pace. Throws INVALID_MESSAGE or INVALID_CURSOR. */
export function readSubscription(query: URLSearchParams): SubscribeRequest {
  const { limit: _limit, wait: _wait, ...request } = readHistoryQuery(query)
  const subscription: SubscribeRequest = request
  const [batchMs, latestOnly] = [query.get('batchMs'), query.get('latestOnly')]
  if (batchMs) subscription.batchMs = readNumber('batchMs', batchMs)
  if (latestOnly) subscription.latestOnly = readFlag('latestOnly', latestOnly)
  return subscription
}

/** Values of a parameter that may be repeated, and hold several, comma-separated. */
export function listOf(query: URLSearchParams, name: string): string[] {
  return query
    .getAll(name)
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
}

/** @throws HubError INVALID_CURSOR */
export function readSince(text: string): Since {
  if (!text.startsWith('last:')) return text
  const last = text.slice('last:'.length)
  if (!/^\d{1,9}$/.test(last)) throw new HubError('INVALID_CURSOR')
  return { last: Number(last) }
}

/** @throws HubError INVALID_MESSAGE */
export function readNumber(name: string, text: string): number {
  if (!/^\d{1,9}(\.\d{1,3})?$/.test(text)) throw new HubError('INVALID_MESSAGE', `\`${name}\` must be a number.`, { field: name })
  return Number(text)
}

function readFlag(name: string, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new HubError('INVALID_MESSAGE', `\`${name}\` must be true or false.`, { field: name })
  return text === 'true'
}

function readLiteral(text: string): string | number | boolean | null {
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null') return null
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(text)) return Number(text)
  return /^"(.*)"$/s.exec(text)?.[1] ?? text
}
