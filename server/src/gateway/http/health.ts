/** `/health/live`, `/health/ready` and `/metrics`: for probes and Prometheus, without a credential; they name no project. */
import { HubError } from '@hubbub/protocol'
import { Router } from 'express'
import { pingWithin } from './ping.js'
import type { HttpDeps } from './needs.js'

export function createHealth({ store, metrics, unready }: Pick<HttpDeps, 'store' | 'metrics' | 'unready'>): Router {
  const router = Router()

  /** The process answers: nothing else may fail it, or an outage of the store would have every process killed. */
  router.get('/health/live', (_request, response) => {
    response.json({ ok: true, status: 'live' })
  })

  router.get('/health/ready', async (_request, response) => {
    const reasons = [...(unready?.() ?? [])]
    if ((await pingWithin(store)) === null) reasons.push('store')
    if (reasons.length > 0) throw new HubError('UNAVAILABLE', `Not ready: ${reasons.join(', ')}.`, { reasons })
    response.json({ ok: true, status: 'ready' })
  })

  router.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })

  return router
}
