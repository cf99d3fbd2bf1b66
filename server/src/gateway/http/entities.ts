/**
 * `GET /api/v1/{agents,tasks,pipelines,streams,checkpoints,runs,task-types}` and `/:id` under each: what the hub knows. Lists come
 * newest first, narrowed down by filters of the kind (`?status=failed&pipelineId=p1`), page by page (`limit`, `after`).
 */
import type { Kind } from '@hubbub/protocol'
import { Router } from 'express'
import { queryOf } from '../../access/credentials.js'
import type { ListRequest } from '../../operations/entities.js'
import { filterNames } from '../../operations/entity-filters.js'
import { identityOf } from './door.js'
import { readNumber } from './history.js'
import type { HttpDeps } from './needs.js'

const LISTS = {
  agents: 'agent', tasks: 'task', pipelines: 'pipeline', streams: 'stream', checkpoints: 'checkpoint', runs: 'run', 'task-types': 'task_type',
} as const satisfies Record<string, Kind>

export function createEntityRoutes({ operations }: Pick<HttpDeps, 'operations'>): Router {
  const router = Router()
  for (const [path, kind] of Object.entries(LISTS)) {
    router.get(`/${path}`, async (request, response) => {
      const { entities, cursor, next } = await operations.entities.list(identityOf(response), kind, readListQuery(queryOf(request), kind))
      response.json({ ok: true, items: entities, ...(next !== undefined && { next }), cursor })
    })
    router.get(`/${path}/:id`, async (request, response) => {
      const { cursor, entity } = await operations.entities.find(identityOf(response), kind, request.params.id)
      response.json({ ok: true, ...entity, cursor })
    })
  }
  return router
}

/** Only translates. Throws INVALID_MESSAGE. */
export function readListQuery(query: URLSearchParams, kind: Kind): ListRequest {
  const request: ListRequest = { filters: {} }
  const filters: Record<string, string> = {}
  for (const name of filterNames(kind)) {
    const value = query.get(name)
    if (value) filters[name] = value
  }
  request.filters = filters
  const after = query.get('after')
  const limit = query.get('limit')
  if (after) request.after = after
  if (limit) request.limit = readNumber('limit', limit)
  return request
}
