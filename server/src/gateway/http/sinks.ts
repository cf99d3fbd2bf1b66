/** `/api/v1/sinks`: outgoing webhooks, for services and admins. Delivering is in `gateway/sinks`. */
import { HubError } from '@hubbub/protocol'
import { Router } from 'express'
import type { SinkDesk } from '../../operations/sinks.js'
import { jsonOf, readBody } from './bodies.js'
import { identityOf } from './door.js'
import type { HttpDeps } from './needs.js'

const BODY_BYTES = 64 * 1024

export function createSinkRoutes({ sinks, log }: Pick<HttpDeps, 'sinks' | 'log'>): Router {
  const router = Router()
  const desk = (): SinkDesk => {
    if (!sinks) throw new HubError('UNAVAILABLE', 'This hub delivers to no sinks.')
    return sinks
  }

  router.get('/sinks', async (_request, response) => {
    response.json({ ok: true, sinks: await desk().list(identityOf(response)) })
  })

  router.post('/sinks', readBody(BODY_BYTES), async (request, response) => {
    const identity = identityOf(response)
    const sink = await desk().add(identity, jsonOf(request))
    log.info({ sink: sink.id, project: identity.project, by: identity.subject, origin: new URL(sink.url).origin }, 'sink added')
    response.status(201).location(`/api/v1/sinks/${encodeURIComponent(sink.id)}`).json({ ok: true, ...sink })
  })

  router.get('/sinks/:id', async (request, response) => {
    response.json({ ok: true, ...(await desk().get(identityOf(response), request.params.id)) })
  })

  router.post('/sinks/:id/pause', async (request, response) => {
    response.json({ ok: true, ...(await desk().pause(identityOf(response), request.params.id)) })
  })

  router.post('/sinks/:id/resume', async (request, response) => {
    response.json({ ok: true, ...(await desk().resume(identityOf(response), request.params.id)) })
  })

  router.delete('/sinks/:id', async (request, response) => {
    const identity = identityOf(response)
    await desk().remove(identity, request.params.id)
    log.info({ sink: request.params.id, project: identity.project, by: identity.subject }, 'sink removed')
    response.json({ ok: true, id: request.params.id })
  })

  return router
}
