/**
 * `POST /api/v1/runs/:runId/events`: AG-UI events as they are, one or a list, into the run of the path. Each stands in the journal as
 * `agui.` and its lower-cased type, with the event itself as data. With `Idempotency-Key: K` the events of a request have the ids `K-0`,
 * `K-1`, ...: sent again, they stand there once (I3); without, a repetition says everything twice.
 */
import { FAILURES, HubError, isTopic, type EventInput } from '@hubbub/protocol'
import { Router, type Request } from 'express'
import { queryOf } from '../../access/credentials.js'
import { isRecord, jsonOf, readBody } from '../http/bodies.js'
import { clientOf, identityOf } from '../http/door.js'
import type { HttpDeps } from '../http/needs.js'

/** Room for what surrounds the events; bytes. */
const BODY_SLACK = 64 * 1024
/** Of a request, whatever its events may weigh; bytes. */
const BODY_CEILING = 16 * 1024 * 1024

export function createRunPublishing({ operations, settings }: Pick<HttpDeps, 'operations' | 'settings'>): Router {
  const router = Router()
  const { maxBatchEvents, maxSnapshotBytes } = settings
  const limit = Math.max(maxSnapshotBytes, Math.min(maxBatchEvents * settings.maxEventBytes, BODY_CEILING)) + BODY_SLACK

  router.post<{ runId: string }>('/runs/:runId/events', readBody(limit), async (request, response) => {
    const identity = identityOf(response)
    const body = jsonOf(request)
    const events = Array.isArray(body) ? (body as unknown[]) : [body]
    if (events.length === 0) throw new HubError('INVALID_MESSAGE', 'The list holds no event.')
    if (events.length > maxBatchEvents) throw new HubError('PAYLOAD_TOO_LARGE', 'The list holds too many events.', { limit: maxBatchEvents, events: events.length })
    const context = contextOf(request)
    const key = request.get('idempotency-key')
    const inputs = events.map((event, place) => inputOf(event, context, key === undefined ? undefined : `${key}-${place}`))
    const results = await operations.publish(identity, inputs, { ack: 'committed', client: clientOf(identity) })
    if (Array.isArray(body)) return void response.json({ ok: true, results })
    const [answer] = results
    if (!answer) throw new Error('publish gave no answer')
    response.status(answer.ok ? 201 : FAILURES[answer.error.code].status).json(answer)
  })
  return router
}

type Context = NonNullable<EventInput['metadata']>

/** Throws INVALID_TOPIC. */
function contextOf(request: Request<{ runId: string }>): Context {
  const { runId } = request.params
  const threadId = queryOf(request).get('threadId')
  for (const topic of [`run:${runId}`, ...(threadId ? [`thread:${threadId}`] : [])] as string[]) {
    if (!isTopic(topic)) throw new HubError('INVALID_TOPIC', undefined, { topic: String(topic).slice(0, 100) })
  }
  return { runId, ...(threadId && { threadId }) }
}

/** What is no AG-UI event is left as it is: it is refused where all events are, with its place in the list. */
function inputOf(event: unknown, metadata: Context, id: string | undefined): unknown {
  const type = isRecord(event) ? event['type'] : undefined
  return { type: `agui.${typeof type === 'string' ? type.toLowerCase() : ''}`, data: event, metadata, ...(id !== undefined && { id }) }
}
