/**
 * `GET /api/v1/stream`: events as server-sent events, for `curl -N` and EventSource. Topics, types, filters and `since` as for history.
 *
 *     Last-Event-ID: <cursor>      or lastEventId=<cursor>: goes on behind it, whatever `since` says
 *     batchMs=500 latestOnly=true  as in `subscribe`
 *     format=cloudevents           data as CloudEvents
 *     compress=none | gzip         default: gzip where the client takes it
 */
import { HubError } from '@hubbub/protocol'
import { Router, type Request } from 'express'
import { queryOf } from '../../access/credentials.js'
import type { FollowRequest } from '../../operations/follow.js'
import { takesGzip } from './compression.js'
import { identityOf } from './door.js'
import { readSubscription } from './history.js'
import type { HttpDeps } from './needs.js'
import { complaint, preface, streamEncoding, StreamOutlet, warning, type StreamFormat } from './stream-wire.js'

export function createStream({ operations, streams, metrics }: Pick<HttpDeps, 'operations' | 'streams' | 'metrics'>): Router {
  const router = Router()
  const encodings = { hubbub: streamEncoding('hubbub', metrics), cloudevents: streamEncoding('cloudevents', metrics) }

  router.get('/stream', async (request, response) => {
    const query = queryOf(request)
    const identity = identityOf(response)
    const asked = readStreamQuery(query, request.get('last-event-id'))
    const encoding = encodings[readFormat(query.get('format'))]
    const gzip = readCompression(query.get('compress'), request)
    streams.requireRoom()
    const follow = await operations.follow(identity, asked)
    if (response.destroyed) return
    const stream = streams.begin(identity, response, { gzip, farewell: complaint, draining: warning })
    stream.write(preface())
    // Express hands HEAD to GET: there is nothing to wait for.
    if (request.method === 'HEAD') return void stream.end()
    stream.carry(follow(new StreamOutlet(encoding, stream), { session: stream.id, wire: 'sse' }))
  })
  return router
}

/** Only translates. Throws INVALID_MESSAGE or INVALID_CURSOR. */
function readStreamQuery(query: URLSearchParams, lastEventId: string | undefined): FollowRequest {
  const { since, ...subscription } = readSubscription(query)
  return { subscriptions: [subscription], since: lastEventId || query.get('lastEventId') || since }
}

function readFormat(text: string | null): StreamFormat {
  if (!text || text === 'hubbub') return 'hubbub'
  if (text === 'cloudevents') return text
  throw new HubError('INVALID_MESSAGE', '`format` must be hubbub or cloudevents.', { field: 'format' })
}

/** @returns whether to compress */
function readCompression(text: string | null, request: Request): boolean {
  if (text === 'gzip') return true
  if (text === 'none') return false
  if (text) throw new HubError('INVALID_MESSAGE', '`compress` must be gzip or none.', { field: 'compress' })
  return takesGzip(request)
}
