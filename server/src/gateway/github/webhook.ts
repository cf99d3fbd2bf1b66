/**
 * `POST /webhooks/github[/:project]`: signed deliveries become events. GitHub waits 10 s and does not retry by itself, and a
 * redelivery carries the same id: the answer comes when the delivery stands in its source stream, together with its mark.
 */
import { HubError, isProject, type EventInput } from '@hubbub/protocol'
import { Router, type Request, type RequestHandler } from 'express'
import { DEFAULT_PROJECT } from '../../access/projects.js'
import { bytesOf, isRecord, parseJson, readBody } from '../http/bodies.js'
import type { HttpDeps } from '../http/needs.js'
import { tracedBy } from '../http/traceparent.js'
import { mapDelivery } from './mapping.js'
import { readSecrets } from './secrets.js'
import { isSignature, signatureFits } from './signature.js'

/** GitHub's own cap; bytes. */
const BODY_BYTES = 25 * 1024 * 1024

export function createWebhook({ intake, settings, log }: Pick<HttpDeps, 'intake' | 'settings' | 'log'>): Router {
  const secrets = readSecrets(settings.githubSecret)
  const router = Router()

  const secretsOf = (request: Request): { project: string; own: readonly string[] } => {
    const project = request.params['project'] ?? DEFAULT_PROJECT
    const own = typeof project === 'string' && isProject(project) ? secrets.get(project) : undefined
    if (typeof project !== 'string' || !own) throw new HubError('NOT_FOUND')
    return { project, own }
  }

  /** Before 25 MB are read for a stranger. */
  const precheck: RequestHandler = (request, _response, next) => {
    secretsOf(request)
    if (!isSignature(request.get('x-hub-signature-256'))) throw new HubError('BAD_SIGNATURE')
    next()
  }

  router.post(['/github', '/github/:project'], precheck, readBody(BODY_BYTES), async (request, response) => {
    const { project, own } = secretsOf(request)
    const body = bytesOf(request)
    if (!signatureFits(own, body, request.get('x-hub-signature-256'))) throw new HubError('BAD_SIGNATURE')
    const name = headerOf(request, 'X-GitHub-Event', /^[a-z][a-z0-9_]{0,63}$/)
    const deliveryId = headerOf(request, 'X-GitHub-Delivery', /^[A-Za-z0-9_.-]{1,100}$/)
    const payload = readPayload(request, body)
    const input = tracedBy(request, settings)(mapDelivery(name, deliveryId, payload)) as EventInput
    const { id, duplicate } = await intake.deliver(project, sourceOf(payload), input, {
      key: `${project}/${deliveryId}`,
      ttlMs: settings.deliveryMs,
    })
    log.debug({ project, name, deliveryId, duplicate }, 'delivery taken in')
    response.status(202).json({ ok: true, id, duplicate })
  })

  return router
}

/** JSON, or the form that GitHub offers beside it: `payload=<JSON>`. The signature is over the body either way. */
function readPayload(request: Request, body: Buffer): Record<string, unknown> {
  let payload: unknown
  try {
    payload = request.is('application/x-www-form-urlencoded') ? JSON.parse(new URLSearchParams(body.toString()).get('payload') ?? '') : parseJson(body)
  } catch {
    throw new HubError('INVALID_MESSAGE', 'The delivery is not JSON.')
  }
  if (!isRecord(payload)) throw new HubError('INVALID_MESSAGE', 'The delivery is not a JSON object.')
  return payload
}

function headerOf(request: Request, name: string, pattern: RegExp): string {
  const value = request.get(name)
  if (value === undefined || !pattern.test(value)) throw new HubError('INVALID_MESSAGE', `The header ${name} is missing or malformed.`, { header: name })
  return value
}

/** The producer as events name it: the repository, or GitHub itself (organisations, marketplace, ...). */
function sourceOf(payload: Record<string, unknown>): string {
  const repository = payload['repository']
  const name = isRecord(repository) ? repository['full_name'] : undefined
  return typeof name === 'string' && /^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(name) ? `https://github.com/${name}` : 'https://github.com'
}
