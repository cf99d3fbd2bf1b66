/** `GET /api/v1/snapshot?topics=pipeline:p1,agent:*`: the state of what topics name; `topic=` is one topic, commas and all. */
import type { SnapshotRequest } from '@hubbub/protocol'
import { Router } from 'express'
import { queryOf } from '../../access/credentials.js'
import { identityOf } from './door.js'
import { listOf, readNumber } from './history.js'
import type { HttpDeps } from './needs.js'

export function createSnapshot({ operations }: Pick<HttpDeps, 'operations'>): Router {
  const router = Router()
  router.get('/snapshot', async (request, response) => {
    const asked = readSnapshotQuery(queryOf(request))
    response.json({ ok: true, ...(await operations.snapshot(identityOf(response), asked)) })
  })
  return router
}

/** Only translates. Throws INVALID_MESSAGE. */
function readSnapshotQuery(query: URLSearchParams): SnapshotRequest {
  const request: SnapshotRequest = { topics: [...listOf(query, 'topics'), ...query.getAll('topic')] }
  const after = query.get('after')
  const limit = query.get('limit')
  if (after) request.after = after
  if (limit) request.limit = readNumber('limit', limit)
  return request
}
