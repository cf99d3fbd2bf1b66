/** Request bodies, parsed whatever the content type says (`curl -d` calls JSON a form). */
import { HubError } from '@hubbub/protocol'
import type { Request } from 'express'

export { readBody } from './body-reader.js'

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
