/** Who is asking: each request to `/api` is authenticated, counted against its subject's rate, and carries its identity. */
import { HubError } from '@hubbub/protocol'
import type { RequestHandler, Response } from 'express'
import type { Authenticator } from '../../access/authenticator.js'
import { credentialFromRequest } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import { isAdmin, isOperator } from '../../access/permissions.js'
import { createBuckets } from '../../access/rate.js'
import type { Settings } from '../../settings/table.js'
import { siteOf } from '../addresses.js'
import type { Gatekeeper } from '../gatekeeper.js'
import { dropForeignCookie, originAllowed } from '../origin.js'

export function createDoor({ gate, settings }: { gate: Pick<Gatekeeper, 'authenticate'>; settings: Settings }): RequestHandler {
  const buckets = createBuckets(settings.messageRate, settings.messageBurst)
  return async (request, response, next) => {
    const { credential, project } = credentialFromRequest(request)
    const identity = await gate.authenticate(request, credential, project)
    const retryAfterMs = buckets.take(clientOf(identity))
    if (retryAfterMs > 0) throw new HubError('RATE_LIMITED', undefined, { scope: 'client', retryAfterMs, limit: settings.messageRate, unit: 'messages/s', setting: 'HUBBUB_MESSAGE_RATE' })
    response.locals['identity'] = identity
    next()
  }
}

/** Before anything is done: a browser attaches its cookie to a foreign page's request, and sends it even without CORS. */
export function createOriginCheck({ settings }: { settings: Settings }): RequestHandler {
  return (request, _response, next) => {
    const site = siteOf(settings, request)
    if (!originAllowed(settings, request.headers.origin, site)) throw new HubError('ORIGIN_NOT_ALLOWED')
    dropForeignCookie(settings, request.headers, site)
    next()
  }
}

/** Answers that go on. */
const STREAMS = /^\/v1\/(stream|runs\/[^/]+\/agui)\/?$/i

/** A stream is a connection: it comes in as one, before anybody looks whose it is. */
export function createStreamGate({ gate }: { gate: Pick<Gatekeeper, 'enter'> }): RequestHandler {
  return (request, response, next) => {
    if (STREAMS.test(request.path)) response.once('close', gate.enter(request))
    next()
  }
}

/** For whoever was kept waiting: a credential that ended meanwhile gets nothing of what came. */
export function checkStillIn(authenticator: Pick<Authenticator, 'isRevoked'>, identity: Identity): void {
  if (authenticator.isRevoked(identity)) throw new HubError('AUTH_REVOKED')
  if (identity.expiresAt !== undefined && identity.expiresAt <= Date.now()) throw new HubError('AUTH_TOKEN_EXPIRED')
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
