/**
 * Answers of GET requests, gzipped for whoever takes it. Only what is written in one piece: a stream has sent its head before its end
 * comes by here, and is left alone (`exports.ts` compresses its own; what is pushed live must not wait in a compressor).
 */
import { gzip } from 'node:zlib'
import type { RequestHandler, Response } from 'express'

/** Less is hardly smaller compressed; bytes. */
const WORTHWHILE = 1024

export const compressAnswers: RequestHandler = (request, response, next) => {
  if (request.method === 'GET') compressEnd(response, takesGzip(request))
  next()
}

export function takesGzip(request: Parameters<RequestHandler>[0]): boolean {
  return request.acceptsEncodings('gzip', 'identity') === 'gzip'
}

function compressEnd(response: Response, wanted: boolean): void {
  const end = response.end.bind(response) as (chunk?: unknown, ...rest: unknown[]) => Response
  response.end = ((...args: unknown[]) => {
    const [chunk] = args
    if (response.headersSent || !isLong(chunk) || response.hasHeader('Content-Encoding')) return end(...args)
    // Caches between us and the client must know of both forms, whichever this one is.
    response.vary('Accept-Encoding')
    if (!wanted) return end(...args)
    gzip(chunk, (error, packed) => {
      // Whatever it was, the plain answer is one, too.
      if (error || response.headersSent) return end(...args)
      response.set('Content-Encoding', 'gzip')
      response.set('Content-Length', String(packed.length))
      end(packed)
    })
    return response
  }) as Response['end']
}

function isLong(chunk: unknown): chunk is string | Buffer {
  return (typeof chunk === 'string' || Buffer.isBuffer(chunk)) && chunk.length > WORTHWHILE
}
