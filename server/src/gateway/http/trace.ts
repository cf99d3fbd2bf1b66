/** `GET /api/v1/trace/:eventId?session=&subject=`: why an event did or did not arrive. By its id, its cursor or its offset. */
import { Router } from 'express'
import { queryOf } from '../../access/credentials.js'
import { identityOf } from './door.js'
import type { HttpDeps } from './needs.js'

export function createTraces({ operations }: Pick<HttpDeps, 'operations'>): Router {
  const router = Router()
  router.get('/trace/:eventId', async (request, response) => {
    const query = queryOf(request)
    const { eventId } = request.params
    const session = query.get('session') ?? undefined
    const subject = query.get('subject') ?? undefined
    response.json({ ok: true, trace: await operations.trace(identityOf(response), { eventId, session, subject }) })
  })
  return router
}
