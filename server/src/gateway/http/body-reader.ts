/**
 * Reads a request's body whole, decompressed, up to a limit, and counts what all of them together hold: a stranger's webhooks are read
 * before their signature can be looked at, and a few hundred bytes may be compressed megabytes.
 */
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { HubError } from '@hubbub/protocol'
import type { Request, RequestHandler, Response } from 'express'
import { Room } from '../../access/room.js'
import type { Settings } from '../../settings/table.js'
import { clientOf } from './door.js'

/** For so long what comes behind a refusal is read and thrown away, ms. */
const LINGER_MS = 1000
const RETRY_MS = 1000

const DECODERS = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress } as const

/** Of one app: bytes of bodies that its process holds, by who sent them; all whose signature is still to be checked are one. */
export function bodyRoom({ bodyBytes }: Pick<Settings, 'bodyBytes'>): Room {
  return new Room({ count: Infinity, bytes: bodyBytes })
}

/**
 * `limit`: bytes, decompressed. Sets `request.body` to a Buffer. Fails with PAYLOAD_TOO_LARGE, with UNAVAILABLE where there is no room,
 * with INVALID_MESSAGE for what is no such compression or ends before its end.
 */
export function readBody(limit: number): RequestHandler {
  return (request, response, next) => {
    const parts: Buffer[] = []
    let taken = 0
    let told = false
    const tell = (error?: unknown) => {
      if (told) return
      told = true
      if (error === undefined) request.body = Buffer.concat(parts, taken)
      parts.length = 0
      next(error)
    }
    /** What comes is read and thrown away: cut off at once, its sender would lose the answer with what it is still sending. */
    const discard = () => {
      source?.off('data', take).off('end', whole)
      request.unpipe()
      if (source !== request) source?.destroy()
      request.resume()
      parts.length = 0
    }
    const isMeasured = request.headers['content-length'] !== undefined
    const refuse = (error: unknown) => {
      if (told) return
      discard()
      if (!isMeasured) cutOff(request, response)
      tell(error)
    }
    /** One that says how long it is ends; some clients look for an answer only then. */
    const refuseAtEnd = (error: unknown) => {
      if (!isMeasured || request.complete) return refuse(error)
      discard()
      request.once('end', () => refuse(error))
    }
    const hold = holding(request, response)
    const take = (part: Buffer) => {
      taken += part.length
      if (taken > limit) return refuseAtEnd(new HubError('PAYLOAD_TOO_LARGE', undefined, { limit, unit: 'bytes' }))
      if (!hold(part.length)) return refuse(full())
      parts.push(part)
    }
    const whole = () => tell()
    const broken = () => refuse(new HubError('INVALID_MESSAGE', 'The request could not be read.'))
    const source = decoded(request, broken)
    if (!source) return tell(unknownEncoding())
    source.on('data', take)
    source.once('end', whole)
    request.once('error', broken)
    // It closes when it came whole, too; a decoder may still be at work then.
    request.once('close', () => request.complete || broken())
  }
}

function decoded(request: Request, broken: () => void): Readable | undefined {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding === 'identity') return request
  if (!Object.hasOwn(DECODERS, encoding)) return undefined
  const decoder = DECODERS[encoding as keyof typeof DECODERS]()
  decoder.once('error', broken)
  return request.pipe(decoder)
}

/** Held until the request is answered: what was read from it lives as long. */
function holding(request: Request, response: Response): (bytes: number) => boolean {
  const room = roomOf(request)
  const identity = response.locals['identity'] as Parameters<typeof clientOf>[0] | undefined
  const key = identity ? clientOf(identity) : ''
  let count = 0
  let held = 0
  let isOver = false
  response.once('close', () => {
    isOver = true
    room.leave(key, held, count)
  })
  return (bytes) => {
    if (isOver || !room.enter(key, bytes)) return false
    count++
    held += bytes
    return true
  }
}

function roomOf(request: Request): Room {
  return request.app.get('bodies') as Room
}

function full(): HubError {
  return new HubError('UNAVAILABLE', 'The worker holds as many bytes of requests as it may.', { retryAfterMs: RETRY_MS, setting: 'HUBBUB_BODY_BYTES' })
}

/** Of a body that does not say how long it is nobody knows that it ends. */
function cutOff(request: Request, response: Response): void {
  response.once('finish', () => {
    const cut = setTimeout(() => request.destroy(), LINGER_MS)
    request.once('close', () => clearTimeout(cut))
  })
}

/** As body parsers name it: `failures.ts` answers it with 415 and what could be taken instead. */
function unknownEncoding(): Error {
  return Object.assign(new Error('unsupported content encoding'), { type: 'encoding.unsupported', status: 415 })
}
