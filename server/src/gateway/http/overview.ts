/** `GET /api/v1/overview`: how the whole hub is, for admins of every project. */
import { HubError } from '@hubbub/protocol'
import { Router } from 'express'
import { identityOf } from './door.js'
import type { HttpDeps } from './needs.js'

export function createOverview({ overview }: Pick<HttpDeps, 'overview'>): Router {
  const router = Router()
  router.get('/overview', async (_request, response) => {
    if (!overview) throw new HubError('UNAVAILABLE', 'This process keeps no overview.')
    response.json({ ok: true, overview: await overview.overview(identityOf(response)) })
  })
  return router
}
