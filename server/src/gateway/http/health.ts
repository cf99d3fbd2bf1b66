/** `/health`, `/health/live`, `/health/ready` and `/metrics`: for probes and Prometheus, without a credential unless HUBBUB_METRICS asks for one; they name no project. */
import { HubError } from '@hubbub/protocol'
import { Router } from 'express'
import { credentialFromRequest } from '../../access/credentials.js'
import { isOperator } from '../../access/permissions.js'
import { pingWithin } from './ping.js'
import type { HttpDeps } from './needs.js'

export function createHealth({ store, metrics, unready, settings, gate }: Pick<HttpDeps, 'store' | 'metrics' | 'unready' | 'settings' | 'gate'>): Router {
  const router = Router()

  /** The process answers: nothing else may fail it, or an outage of the store would have every process killed. */
  router.get('/health/live', (_request, response) => {
    response.json({ ok: true, status: 'live' })
  })

  const requireReady = async () => {
    const reasons = [...(unready?.() ?? [])]
    if ((await pingWithin(store)) === null) reasons.push('store')
    if (reasons.length > 0) throw new HubError('UNAVAILABLE', `Not ready: ${reasons.join(', ')}.`, { reasons })
  }

  router.get('/health/ready', async (_request, response) => {
    await requireReady()
    response.json({ ok: true, status: 'ready' })
  })

  /** For clients that look before they connect. */
  router.get('/health', async (_request, response) => {
    await requireReady()
    response.json({ ok: true, status: 'healthy' })
  })

  router.get('/metrics', async (request, response) => {
    if (settings.metricsAccess === 'admin') {
      const { credential, project } = credentialFromRequest(request)
      // Totals of all projects are nobody's but an operator's (I6).
      if (!isOperator(await gate.authenticate(request, credential, project))) throw new HubError('INSUFFICIENT_PERMISSIONS', undefined, { needed: 'admin of every project' })
    }
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })

  return router
}
