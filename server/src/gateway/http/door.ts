/** Who is asking: each request to `/api` is authenticated, counted against its subject's rate, and carries its identity. */
import { HubError } from '@hubbub/protocol'
import type { RequestHandler, Response } from 'express'
import { credentialFromRequest } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import { isAdmin, isOperator } from '../../access/permissions.js'
import { createBuckets } from '../../access/rate.js'
import { originAllowed } from '../origin.js'
import type { HttpDeps } from './needs.js'

export function createDoor({ authenticator, settings }: Pick<HttpDeps, 'authenticator' | 'settings'>): RequestHandler {
  const buckets = createBuckets(settings.messageRate, settings.messageBurst)
  return async (request, response, next) => {
    const { credential, project } = credentialFromRequest(request)
    const identity = await authenticator.authenticate(credential, project)
    const retryAfterMs = buckets.take(clientOf(identity))
    if (retryAfterMs > 0) throw new HubError('RATE_LIMITED', undefined, { retryAfterMs })
    response.locals['identity'] = identity
    next()
  }
}

/** Before anything is done: a browser attaches its cookie to a foreign page's request, and sends it even without CORS. */
export function createOriginCheck({ settings }: Pick<HttpDeps, 'settings'>): RequestHandler {
  return (request, _response, next) => {
    if (!originAllowed(settings, request.headers.origin, request.headers.host)) throw new HubError('ORIGIN_NOT_ALLOWED')
    next()
  }
}

export function identityOf(response: Response): Identity {
  return response.locals['identity'] as Identity
}

/** Whose rates a request counts against. Subjects of two projects are two clients (I6). */
export function clientOf(identity: Identity): string {
  return `http ${identity.project} ${identity.subject}`
}

export function requireAdmin(identity: Identity): void {
  if (!isAdmin(identity)) throw new HubError('INSUFFICIENT_PERMISSIONS', undefined, { needed: 'admin' })
}

/** An admin of every project sees everything; of some projects, only what is his project's (I6). */
export function seesProject(identity: Identity, project: string | undefined): boolean {
  return isOperator(identity) || project === identity.project
}
