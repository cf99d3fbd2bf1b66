/** `/api/v1/keys` and `/api/v1/revocations`, for admins. An admin of some projects handles only what stays inside them. */
import { HubError } from '@hubbub/protocol'
import { Router } from 'express'
import { isSubject, textList } from '../../access/grant.js'
import type { Identity } from '../../access/identity.js'
import { createKey, listKeys, revokeKey, type KeyRequest } from '../../access/keys.js'
import { isOperator } from '../../access/permissions.js'
import { DEFAULT_PROJECT } from '../../access/projects.js'
import { revocationOf } from '../../access/revocations.js'
import { readBody, recordOf } from './bodies.js'
import { identityOf, requireAdmin } from './door.js'
import type { HttpDeps } from './needs.js'

const BODY_BYTES = 64 * 1024

export function createKeyRoutes({ store, authenticator, log }: Pick<HttpDeps, 'store' | 'authenticator' | 'log'>): Router {
  const router = Router()

  router.get('/keys', async (_request, response) => {
    const admin = adminOf(identityOf(response))
    const keys = await listKeys(store)
    response.json({ ok: true, keys: keys.filter((key) => handles(admin, key.projects)) })
  })

  router.post('/keys', readBody(BODY_BYTES), async (request, response) => {
    const admin = adminOf(identityOf(response))
    const asked = recordOf(request)
    const wanted = textList(asked['projects'] ?? asked['project'] ?? admin.project) ?? []
    if (!handles(admin, wanted)) throw new HubError('WRONG_PROJECT', 'A key cannot grant projects that its maker has not.')
    const { key, record } = await createKey(store, { ...(asked as Partial<KeyRequest> & { subject: string }), projects: wanted })
    log.info({ key: record.id, subject: record.subject, by: admin.subject }, 'key created')
    response.status(201).json({ ok: true, key, ...record })
  })

  router.delete('/keys/:id', async (request, response) => {
    const admin = adminOf(identityOf(response))
    const known = await store.getKey(request.params.id)
    // Another project's key is answered as one that does not exist (I6).
    if (!known || !handles(admin, known.projects)) throw new HubError('NOT_FOUND', 'There is no such key.')
    const record = await revokeKey(store, known.id)
    await authenticator.refresh()
    log.info({ key: record.id, subject: record.subject, by: admin.subject }, 'key revoked')
    response.json({ ok: true, ...record })
  })

  router.post('/revocations', readBody(BODY_BYTES), async (request, response) => {
    const admin = adminOf(identityOf(response))
    const { subject } = recordOf(request)
    if (!isSubject(subject)) throw new HubError('INVALID_MESSAGE', '`subject` must be 1 to 128 characters without white space.', { field: 'subject' })
    const revokedAt = Date.now()
    const projects = isOperator(admin) ? ['*'] : [...admin.projects]
    for (const project of projects) await store.revokeSubject(revocationOf(subject, project), revokedAt)
    await authenticator.refresh()
    log.info({ revoked: subject, projects, by: admin.subject }, 'subject revoked')
    response.status(201).json({ ok: true, subject, projects, revokedAt })
  })

  return router
}

function adminOf(identity: Identity): Identity {
  requireAdmin(identity)
  return identity
}

function handles(admin: Identity, projects: readonly string[]): boolean {
  const list = projects.length > 0 ? projects : [DEFAULT_PROJECT]
  return isOperator(admin) || list.every((project) => admin.projects.includes(project))
}
