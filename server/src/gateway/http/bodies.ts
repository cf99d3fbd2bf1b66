/** Request bodies: read whole, up to a limit, and parsed whatever the content type says (`curl -d` calls JSON a form). */
import { HubError } from '@hubbub/protocol'
import express, { type Request, type RequestHandler } from 'express'

/** For so long what comes behind a refusal is read and thrown away, ms. */
const LINGER_MS = 1000

/**
 * Limit in bytes, before and after decompression. More is PAYLOAD_TOO_LARGE, at once: the parser would read to its end what it refuses, and
 * whoever never ends would never be answered.
 */
export function readBody(limit: number): RequestHandler {
  const parse = express.raw({ type: () => true, limit })
  return (request, response, next) => {
    // One that says how long it is ends; cutting it off could cost its sender the answer.
    if (request.headers['content-length'] !== undefined) {
      parse(request, response, next)
      return
    }
    let taken = 0
    let told = false
    const once = (error?: unknown) => {
      if (told) return
      told = true
      request.off('data', count)
      next(error)
    }
    const count = (bytes: Buffer) => {
      taken += bytes.length
      if (taken <= limit) return
      // Cut off at once, its sender would lose the answer with what it is still sending.
      response.once('finish', () => {
        const cut = setTimeout(() => request.destroy(), LINGER_MS)
        request.once('close', () => clearTimeout(cut))
      })
      once(new HubError('PAYLOAD_TOO_LARGE', undefined, { limit, unit: 'bytes' }))
    }
    request.on('data', count)
    parse(request, response, once)
  }
}

/** Bytes as they came, decompressed; none when there was no body. */
export function bytesOf(request: Request): Buffer {
  const body: unknown = request.body
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

/** Throws INVALID_MESSAGE. */
export function jsonOf(request: Request): unknown {
  const bytes = bytesOf(request)
  if (bytes.length === 0) throw new HubError('INVALID_MESSAGE', 'The body is empty; it must be JSON.')
  try {
    return parseJson(bytes)
  } catch {
    throw new HubError('INVALID_MESSAGE', 'The body is not JSON in UTF-8.', { contentType: request.headers['content-type']?.slice(0, 100) ?? null })
  }
}

export function recordOf(request: Request): Record<string, unknown> {
  const value = jsonOf(request)
  if (!isRecord(value)) throw new HubError('INVALID_MESSAGE', 'The body must be a JSON object.')
  return value
}

/** Throws whatever the decoder or the parser throws. */
export function parseJson(bytes: Buffer): unknown {
  return JSON.parse(UTF8.decode(bytes)) as unknown
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Invalid UTF-8 is refused rather than replaced: an event must not stand in the journal with other text than was sent. */
const UTF8 = new TextDecoder('utf-8', { fatal: true })
