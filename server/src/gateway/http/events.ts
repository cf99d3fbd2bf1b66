/** `POST /api/v1/events`: one event, an array of them, or `{ events: [...] }`; each is answered on its own. */
import { FAILURES, HubError, type Answer, type PublishResult } from '@hubbub/protocol'
import { Router, type Response } from 'express'
import type { Settings } from '../../settings/table.js'
import { queryOf } from '../../access/credentials.js'
import { isRecord, jsonOf, readBody } from './bodies.js'
import { clientOf, identityOf } from './door.js'
import type { HttpDeps } from './needs.js'

type Ack = 'committed' | 'accepted'

/** A body's limit, whatever the settings would multiply up to; bytes. */
const BODY_CEILING = 16 * 1024 * 1024
/** Room for what surrounds the events; bytes. */
const BODY_SLACK = 64 * 1024

export function createEvents({ operations, settings }: Pick<HttpDeps, 'operations' | 'settings'>): Router {
  const router = Router()
  router.post('/events', readBody(bodyLimit(settings)), async (request, response) => {
    const identity = identityOf(response)
    const body = jsonOf(request)
    const asked = queryOf(request).get('ack')
    if (Array.isArray(body) || (isRecord(body) && body['type'] === undefined && Array.isArray(body['events']))) {
      const inputs: unknown[] = Array.isArray(body) ? body : (body['events'] as unknown[])
      const ack = readAck(asked ?? (Array.isArray(body) ? undefined : body['ack']))
      checkCount(inputs.length, settings)
      const results = await operations.publish(identity, inputs, { ack, client: clientOf(identity) })
      response.json({ ok: true, results })
      return
    }
    // As in a `publish` message, one event may say its `ack` beside its fields.
    const { ack: own, ...input } = isRecord(body) ? body : ({} as Record<string, unknown>)
    const ack = readAck(asked ?? own)
    const [answer] = await operations.publish(identity, [isRecord(body) ? input : body], { ack, client: clientOf(identity) })
    answerOne(response, answer, ack)
  })
  return router
}

function answerOne(response: Response, answer: Answer<PublishResult> | undefined, ack: Ack): void {
  if (!answer) throw new Error('publish gave no answer')
  // Thrown nowhere, so not counted twice: whoever refused the event counted it.
  if (!answer.ok) {
    const retryAfterMs = answer.error.details?.['retryAfterMs']
    if (typeof retryAfterMs === 'number') response.set('Retry-After', String(Math.ceil(retryAfterMs / 1000)))
  }
  const status = answer.ok ? (ack === 'accepted' ? 202 : 201) : FAILURES[answer.error.code].status
  response.status(status).json(answer)
}

function readAck(value: unknown): Ack {
  if (value === undefined || value === null || value === 'committed') return 'committed'
  if (value === 'accepted') return 'accepted'
  throw new HubError('INVALID_MESSAGE', '`ack` must be committed or accepted.', { field: 'ack' })
}

function checkCount(count: number, { maxBatchEvents }: Settings): void {
  if (count === 0) throw new HubError('INVALID_MESSAGE', 'The batch holds no event.')
  if (count > maxBatchEvents) throw new HubError('PAYLOAD_TOO_LARGE', 'The batch holds too many events.', { limit: maxBatchEvents, events: count })
}

/** At least one event of the largest kind. */
function bodyLimit({ maxBatchEvents, maxEventBytes, maxSnapshotBytes }: Settings): number {
  return Math.max(Math.min(maxBatchEvents * maxEventBytes, BODY_CEILING), maxEventBytes, maxSnapshotBytes) + BODY_SLACK
}
