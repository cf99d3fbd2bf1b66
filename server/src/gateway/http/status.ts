/** `/api/v1/status` and `/api/v1/websocket/status`: this process, and of the rest what the caller may know (I6). */
import { partitionOf } from '@hubbub/protocol'
import { Router } from 'express'
import type { Identity } from '../../access/identity.js'
import { isAdmin, isOperator } from '../../access/permissions.js'
import { identityOf } from './door.js'
import type { ConnectionCounts, HttpDeps } from './needs.js'
import { pingWithin } from './ping.js'

interface PartitionStatus {
  partition: number
  owner: string | null
  /** Source entries behind the committed positions. A partition holds several projects: for an admin of every project. */
  lag?: number
}

export function createStatus({ store, status, connections }: Pick<HttpDeps, 'store' | 'status' | 'connections'>): Router {
  const router = Router()
  const counts = (identity: Identity): ConnectionCounts => connections?.(isOperator(identity) ? undefined : identity.project) ?? { total: 0, active: 0 }

  router.get('/websocket/status', (_request, response) => {
    response.json({ ok: true, ...counts(identityOf(response)) })
  })

  router.get('/status', async (_request, response) => {
    const identity = identityOf(response)
    const { startedAt, ...rest } = status()
    const pingMs = await pingWithin(store)
    response.json({
      ok: true,
      ...rest,
      uptimeMs: Date.now() - startedAt,
      project: identity.project,
      store: { kind: store.kind, pingMs, partitions: store.partitions },
      connections: counts(identity),
      ...(isAdmin(identity) && pingMs !== null && { partitions: await partitionsFor(store, identity) }),
    })
  })

  return router
}

async function partitionsFor(store: HttpDeps['store'], identity: Identity): Promise<PartitionStatus[]> {
  const owners = await store.owners()
  if (!isOperator(identity)) {
    const partition = partitionOf(identity.project, store.partitions)
    return [{ partition, owner: owners[partition] ?? null }]
  }
  return Promise.all(owners.map(async (owner, partition) => ({ partition, owner, lag: await store.lag(partition) })))
}
