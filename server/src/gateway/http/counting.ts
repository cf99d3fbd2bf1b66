/** HTTP requests for the metrics: by group of addresses, never by address, which anybody may make up. */
import type { RequestHandler } from 'express'
import type { Metrics } from '../../observe/metrics.js'
import { ENDPOINTS } from './endpoints.js'

/** The first part of each documented address. */
const GROUPS = new Set(ENDPOINTS.flatMap(({ endpoints }) => endpoints.map(({ path }) => firstPart(path))))

/** Counted when the answer ends, which of a stream is late. */
export function countRequests({ metrics }: { metrics: Pick<Metrics, 'httpRequests'> }): RequestHandler {
  return (request, response, next) => {
    const group = groupOf(request.path)
    response.once('close', () => {
      const status = response.headersSent ? `${Math.floor(response.statusCode / 100)}xx` : 'aborted'
      metrics.httpRequests.inc({ group, status })
    })
    next()
  }
}

export function groupOf(path: string): string {
  const part = firstPart(path)
  return GROUPS.has(part) ? part : 'other'
}

function firstPart(path: string): string {
  return path.replace(/^\/api(\/v1)?(?=\/)/, '').split('/')[1] ?? ''
}
