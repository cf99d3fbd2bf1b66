/** `/api/v1/taps`: debug taps, for admins. What they write stands in the logs of the hub's processes. */
import { HubError } from '@hubbub/protocol'
import { Router } from 'express'
import { queryOf } from '../../access/credentials.js'
import type { TapDesk } from '../../operations/taps.js'
import { jsonOf, readBody } from './bodies.js'
import { identityOf } from './door.js'
import type { HttpDeps } from './needs.js'

const BODY_BYTES = 16 * 1024

export function createTaps({ taps, log }: Pick<HttpDeps, 'taps' | 'log'>): Router {
  const router = Router()
  const desk = (): Pick<TapDesk, 'add' | 'list' | 'remove'> => {
    if (!taps) throw new HubError('UNAVAILABLE', 'This process has no debug taps.')
    return taps
  }

  router.post('/taps', readBody(BODY_BYTES), async (request, response) => {
    const identity = identityOf(response)
    const tap = await desk().add(identity, jsonOf(request), readValues(queryOf(request).get('values')))
    // Who looked at what is worth a line of its own.
    log.info({ tap, by: identity.subject }, 'debug tap switched on')
    response.status(201).location(`/api/v1/taps/${encodeURIComponent(tap.id)}`).json({ ok: true, ...tap })
  })

  router.get('/taps', async (_request, response) => {
    response.json({ ok: true, taps: await desk().list(identityOf(response)) })
  })

  router.delete('/taps/:id', async (request, response) => {
    const identity = identityOf(response)
    const { id } = await desk().remove(identity, request.params.id)
    log.info({ tap: id, by: identity.subject }, 'debug tap switched off')
    response.json({ ok: true, id })
  })

  return router
}

function readValues(text: string | null): boolean {
  if (text === null || text === 'false') return false
  if (text === 'true') return true
  throw new HubError('INVALID_MESSAGE', '`values` must be true or false.', { field: 'values' })
}
