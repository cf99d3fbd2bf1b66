/** Every failed request ends here, in one shape: `{ ok: false, error: { code, message, retryable, details? } }`. */
import { HubError } from '@hubbub/protocol'
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Logger } from '../../observe/log.js'
import type { Metrics } from '../../observe/metrics.js'
import { hubErrorOf } from '../../store/failure.js'
import { complaint, preface } from './stream-wire.js'

export function createFailureHandler({ log, metrics }: { log: Logger; metrics: Metrics }): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const failure = readFailure(error)
    metrics.rejections.inc({ code: failure.code })
    // The path only: a query may hold a credential.
    const place = { method: request.method, path: request.path, code: failure.code }
    if (failure.code === 'INTERNAL_ERROR') log.error({ ...place, err: error, reference: failure.details?.['reference'] }, 'request failed')
    else if (failure.code === 'UNAVAILABLE') log.warn({ ...place, err: failure.cause ?? error }, 'request could not be served')
    else log.debug(place, 'request refused')
    if (response.headersSent) {
      next(error)
      return
    }
    if (failure.retryable && isEventSource(request)) return answerEventSource(response, failure)
    // RFC 9110: what could be taken instead.
    if (isUnknownEncoding(error)) response.set('Accept-Encoding', 'gzip, deflate, br, identity')
    answerFailure(response, failure, isUnknownEncoding(error) ? 415 : failure.status)
  }
}

/** @param status where HTTP has a finer one than the code's */
export function answerFailure(response: Response, failure: HubError, status = failure.status): void {
  if (failure.status === 401 && failure.code.startsWith('AUTH_')) response.set('WWW-Authenticate', 'Bearer realm="hubbub"')
  const retryAfterMs = failure.details?.['retryAfterMs']
  if (typeof retryAfterMs === 'number') response.set('Retry-After', String(Math.ceil(retryAfterMs / 1000)))
  response.status(status).json({ ok: false, error: failure.toJSON() })
}

/** What every EventSource says of itself. */
function isEventSource({ method, path, headers }: Request): boolean {
  return method === 'GET' && path === '/api/v1/stream' && headers.accept === 'text/event-stream'
}

/** It would never ask again after any status but 200: a stream that says why, and ends. */
function answerEventSource(response: Response, failure: HubError): void {
  const retryAfterMs = failure.details?.['retryAfterMs']
  response.status(200).set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  response.end(Buffer.concat([preface(typeof retryAfterMs === 'number' ? retryAfterMs : undefined), complaint(failure)]))
}

function readFailure(error: unknown): HubError {
  const { type, status, limit } = (error instanceof HubError || typeof error !== 'object' || error === null ? {} : error) as Record<string, unknown>
  if (type === 'entity.too.large') return new HubError('PAYLOAD_TOO_LARGE', undefined, { limit })
  if (isUnknownEncoding(error)) return new HubError('INVALID_MESSAGE', 'The content encoding is not gzip, deflate, br or identity.')
  // What body-parser and the router refuse: aborted bodies, wrong lengths, broken compression, malformed %-escapes.
  if (typeof status === 'number' && status >= 400 && status < 500) return new HubError('INVALID_MESSAGE', 'The request could not be read.')
  return hubErrorOf(error)
}

/** As body-parser names it. */
function isUnknownEncoding(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { type?: unknown }).type === 'encoding.unsupported'
}
