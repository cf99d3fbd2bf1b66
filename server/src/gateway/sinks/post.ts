/**
 * One request to a receiver. Its name is resolved here, and the addresses that may not be connected to are taken out of what the socket
 * gets to choose from: between the check and the connection there is no second look-up. Redirects are not followed.
 */
import { lookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { HubError } from '@hubbub/protocol'
import type { Destinations } from '../../operations/sinks-destination.js'

export type Outcome =
  | { kind: 'delivered' }
  /** `label` is for metrics; `message` tells whoever added the sink, and names no address. */
  | { kind: 'failed'; label: 'status' | 'timeout' | 'connection' | 'refused'; message: string; retryAfterMs?: number }
  /** 410: the receiver wants nothing any more. */
  | { kind: 'gone'; message: string }
  /** The caller's signal. */
  | { kind: 'stopped' }

/** Of an answer's body so much is read, for the connection's sake; bytes. */
const ANSWER_BYTES = 4096
/** An idle connection is closed after so long, ms. */
const IDLE_MS = 30_000
/** A receiver that asks for a longer pause gets this one, ms. */
const LONGEST_PAUSE_MS = 3_600_000

export class Poster {
  private readonly agent: HttpAgent
  private readonly lookup: LookupFunction

  /** For one receiver: a connection that is kept, at most one. */
  constructor(private readonly url: string, private readonly destinations: Destinations, private readonly timeoutMs: number) {
    const options = { keepAlive: true, maxSockets: 1, timeout: IDLE_MS }
    this.agent = url.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options)
    this.lookup = permittedLookup(destinations)
  }

  /** Never rejects. */
  async post(headers: Record<string, string>, body: Buffer, signal: AbortSignal): Promise<Outcome> {
    let url: URL
    try {
      // An address in the URL is never looked up; settings may have changed since it was taken.
      url = this.destinations.checkUrl(this.url)
    } catch (error) {
      return { kind: 'failed', label: 'refused', message: error instanceof HubError ? error.message : 'The address is refused.' }
    }
    const first = await this.attempt(url, headers, body, signal)
    // A kept connection that the receiver closed just now: not the receiver's refusal.
    return first === 'stale' ? this.firmly(await this.attempt(url, headers, body, signal)) : first
  }

  close(): void {
    this.agent.destroy()
  }

  private firmly(outcome: Outcome | 'stale'): Outcome {
    return outcome === 'stale' ? { kind: 'failed', label: 'connection', message: 'The connection failed: ECONNRESET.' } : outcome
  }

  private attempt(url: URL, headers: Record<string, string>, body: Buffer, signal: AbortSignal): Promise<Outcome | 'stale'> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve({ kind: 'stopped' })
      const { agent, lookup: look } = this
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method: 'POST', agent, lookup: look, headers })
      // The status is the answer; whatever becomes of the body behind it.
      let judged: Outcome | undefined
      const late = setTimeout(() => end(judged ?? { kind: 'failed', label: 'timeout', message: `No answer within ${this.timeoutMs} ms.` }), this.timeoutMs)
      const stop = (): void => end(judged ?? { kind: 'stopped' })
      const end = (outcome: Outcome | 'stale', orderly = false): void => {
        clearTimeout(late)
        signal.removeEventListener('abort', stop)
        if (!orderly) request.destroy()
        resolve(outcome)
      }
      signal.addEventListener('abort', stop, { once: true })
      request.once('response', (response) => {
        const outcome = (judged = judge(response))
        discard(response, (whole) => end(outcome, whole))
      })
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) end('stale')
        else end(failureOf(error))
      })
      request.end(body)
    })
  }
}

/** Where nothing is left, the connection fails with our own word for it. */
class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

export function permittedLookup(destinations: Pick<Destinations, 'permits'>): LookupFunction {
  return (host, options: LookupOptions, done) => {
    lookup(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return done(error, [])
      const permitted = found.filter(({ address }) => destinations.permits(address))
      const [first] = permitted
      if (!first) done(new AddressRefused(), [])
      else if (options.all) done(null, permitted)
      else done(null, first.address, first.family)
    })
  }
}

function judge({ statusCode = 0, headers }: IncomingMessage): Outcome {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered' }
  if (statusCode === 410) return { kind: 'gone', message: 'The receiver answered 410: it is gone.' }
  const redirect = statusCode >= 300 && statusCode < 400 ? ', a redirect, which is not followed' : ''
  const retryAfterMs = pauseOf(headers['retry-after'])
  return { kind: 'failed', label: 'status', message: `The receiver answered ${statusCode}${redirect}.`, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

/** Seconds (Discord sends fractions), or a date. */
export function pauseOf(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+(\.\d+)?$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), LONGEST_PAUSE_MS) : undefined
}

/** Tells whether the answer ended by itself; a longer one costs the connection, not our memory. */
function discard(response: IncomingMessage, done: (whole: boolean) => void): void {
  let bytes = 0
  response.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes > ANSWER_BYTES) done(false)
  })
  response.once('end', () => done(true))
  response.once('error', () => done(false))
}

function failureOf(error: NodeJS.ErrnoException): Outcome {
  if (error instanceof AddressRefused) return { kind: 'failed', label: 'refused', message: 'Its name leads to private or special addresses only.' }
  return { kind: 'failed', label: 'connection', message: `The connection failed: ${error.code ?? error.name}.` }
}
