/** `POST /api/v1/events`: one event, an array of them, `{ events: [...] }`, or CloudEvents of any mode; each is answered on its own. */
import { FAILURES, HubError, inputOfCloudEvent, type Answer, type PublishResult } from '@hubbub/protocol'
import { Router, type Response } from 'express'
import type { Settings } from '../../settings/table.js'
import { queryOf } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import { isRecord, jsonOf, readBody } from './bodies.js'
import { cloudModeOf, isCloudEvent, readCloudBatch, readCloudEvent } from './cloudevents.js'
import { clientOf, identityOf } from './door.js'
import type { HttpDeps } from './needs.js'
import { tracedBy } from './traceparent.js'

type Ack = 'committed' | 'accepted'

/** A body's limit, whatever the settings would multiply up to; bytes. */
const BODY_CEILING = 16 * 1024 * 1024
/** Room for what surrounds the events; bytes. */
const BODY_SLACK = 64 * 1024

export function createEvents({ operations, settings, metrics }: Pick<HttpDeps, 'operations' | 'settings' | 'metrics'>): Router {
  const router = Router()

  const one = async (response: Response, input: unknown, ack: Ack) => {
    const identity = identityOf(response)
    const [answer] = await operations.publish(identity, [input], { ack, client: clientOf(identity) })
    answerOne(response, answer, ack)
  }

  /** What could not even be read is refused in its place. */
  const many = async (identity: Identity, inputs: readonly unknown[], ack: Ack): Promise<Answer<PublishResult>[]> => {
    checkCount(inputs.length, settings)
    const readable = inputs.filter((input) => !(input instanceof HubError))
    const answers = readable.length === 0 ? [] : await operations.publish(identity, readable, { ack, client: clientOf(identity) })
    let next = 0
    return inputs.map((input) => {
      if (!(input instanceof HubError)) return answers[next++]!
      metrics.rejections.inc({ code: input.code })
      return { ok: false, error: input.toJSON() }
    })
  }

  router.post('/events', readBody(bodyLimit(settings)), async (request, response) => {
    const identity = identityOf(response)
    const asked = queryOf(request).get('ack')
    const mode = cloudModeOf(request)
    const traced = tracedBy(request, settings)
    if (mode === 'batch') {
      response.json({ ok: true, results: await many(identity, readCloudBatch(request).map(traced), readAck(asked)) })
      return
    }
    if (mode !== undefined) return await one(response, traced(readCloudEvent(request, mode)), readAck(asked))
    const body = jsonOf(request)
    if (isCloudEvent(body)) return await one(response, traced(inputOfCloudEvent(body)), readAck(asked))
    if (Array.isArray(body) || (isRecord(body) && body['type'] === undefined && Array.isArray(body['events']))) {
      const inputs: unknown[] = Array.isArray(body) ? body : (body['events'] as unknown[])
      const ack = readAck(asked ?? (Array.isArray(body) ? undefined : body['ack']))
      response.json({ ok: true, results: await many(identity, inputs.map(traced), ack) })
      return
    }
    // As in a `publish` message, one event may say its `ack` beside its fields.
    const { ack: own, ...input } = isRecord(body) ? body : ({} as Record<string, unknown>)
    await one(response, traced(isRecord(body) ? input : body), readAck(asked ?? own))
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
