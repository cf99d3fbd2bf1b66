/** Requests to the hub's HTTP API: what is an answer of the hub, and what is none. */
import type { Answer, Filter, Since } from '@hubbub/protocol'
import { isAnswerFrom } from './forms.js'
import { unwritable } from './link.js'

export interface HttpOptions {
  /** `https://hub.example/api/v1`, without a slash at the end. */
  base: string
  withCredentials: boolean
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE'
  /** Behind the base: `/history`. */
  path: string
  query?: URLSearchParams
  body?: unknown
  /** ms until the answer counts as lost. */
  timeoutMs: number
  signal?: AbortSignal
}

export interface HttpAnswer<T extends object> {
  status: number
  answer: Answer<T>
}

/** Whether there is a hub that takes the credential: the cheapest request that needs one. */
export const PING = { method: 'GET', path: '/websocket/status' } as const

/** No answer, or not of a hub: nothing is known about what became of the request. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'
  constructor(message: string, readonly isTimeout: boolean, cause?: unknown) {
    super(message, { cause })
  }
}

/** The hub no longer accepts the credential. */
export const UNAUTHORIZED = 401

export class HttpCalls {
  #headers: Record<string, string> = {}
  readonly #underWay = new Set<AbortController>()

  constructor(private readonly options: HttpOptions) {}

  /** @param auth as of a handshake */
  set auth({ token, apiKey, project }: Record<string, string>) {
    this.#headers = {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(apiKey !== undefined && { 'X-API-Key': apiKey }),
      ...(project !== undefined && { 'X-Hubbub-Project': project }),
    }
  }

  set token(token: string) {
    this.#headers = { ...this.#headers, Authorization: `Bearer ${token}` }
  }

  /** Rejects with `Unanswered`, or INVALID_MESSAGE for a body that JSON cannot carry. */
  async ask<T extends object>({ method, path, query, body, timeoutMs, signal }: HttpRequest): Promise<HttpAnswer<T>> {
    const text = body === undefined ? undefined : written(path, body)
    const stop = new AbortController()
    const abort = (): void => stop.abort()
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      stop.abort()
    }, timeoutMs)
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    this.#underWay.add(stop)
    try {
      const response = await fetch(`${this.options.base}${path}${query ? `?${query.toString()}` : ''}`, {
        method,
        headers: { ...this.#headers, Accept: 'application/json', ...(text !== undefined && { 'Content-Type': 'application/json' }) },
        ...(text !== undefined && { body: text }),
        credentials: this.options.withCredentials ? 'include' : 'same-origin',
        cache: 'no-store',
        // Another host must not get the key: of our headers only `Authorization` is left out there.
        redirect: 'error',
        signal: stop.signal,
      })
      const answer = (await response.json()) as Answer<T>
      if (!isAnswerFrom(path, answer)) throw new Error(`${path} answered ${response.status} as no hub does`)
      return { status: response.status, answer }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Unanswered(isLate ? `no answer within ${timeoutMs} ms` : why, isLate, error)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      this.#underWay.delete(stop)
    }
  }

  /** What is under way is answered with `Unanswered`. */
  abort(): void {
    for (const stop of this.#underWay) stop.abort()
  }
}

function written(path: string, body: unknown): string {
  try {
    return JSON.stringify(body)
  } catch (error) {
    throw unwritable(path, error)
  }
}

/**
 * Where the API is, of a hub at that URL, which may be that of its WebSocket. Pages may give a path of their own host. Throws RangeError for
 * what is no address: `localhost:4000` would be a URL of the scheme `localhost`.
 */
export function baseOf(url: string, path: string): string {
  const { location } = globalThis as { location?: { href: string } }
  const base = location?.href
  const hub = parsed(url, base)
  if (!/^(http|ws)s?:/.test(hub)) throw new RangeError(`url: ${url} is not allowed; allowed: http://host:port, https://host`)
  return new URL(path.replace(/\/$/, ''), hub.replace(/^ws/, 'http')).href
}

/** Empty for what is no URL; `URL.canParse` is not there in older browsers. */
function parsed(url: string, base: string | undefined): string {
  try {
    return new URL(url, base).href
  } catch {
    return ''
  }
}

/** What history and subscriptions choose by, as a query. Topics and texts may hold commas: none is joined with another. */
export function choiceOf({ topics, types, filter, since }: { topics: readonly string[]; types?: readonly string[]; filter?: Filter; since?: Since }): URLSearchParams {
  const query = new URLSearchParams()
  for (const topic of topics) query.append('topic', topic)
  for (const type of types ?? []) query.append('types', type)
  // In quotes, or the text "3" would be taken for a number.
  for (const [field, value] of Object.entries(filter ?? {})) query.append(`filter.${field}`, typeof value === 'string' ? `"${value}"` : String(value))
  if (since !== undefined) query.append('since', typeof since === 'string' ? since : `last:${since.last}`)
  return query
}
