/**
 * Where a credential is found. On a request: Authorization header, `X-API-Key` header, query (`token`, `apiKey`), cookie
 * (`hubbub_token`), in this order; in the Socket.IO `auth` payload: `token`, `apiKey`, or seed 000's `auth_token`.
 * The first that is there counts, even if it is bad: falling back to a weaker one would hide mistakes.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { HubError } from '@hubbub/protocol'
import { splitKey } from './keys.js'

export interface Credential {
  kind: 'token' | 'key'
  text: string
}

export interface Presented {
  credential?: Credential
  /** The project that was asked for, unchecked. */
  project?: string
}

/** As of node:http, express and socket.io's handshake alike. */
export interface RequestHead {
  headers: IncomingHttpHeaders
  url?: string
  /** Express: the URL before a router cut it. */
  originalUrl?: string
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/
const COOKIE = 'hubbub_token'

/** Throws AUTH_INVALID_FORMAT. */
export function credentialFromRequest(request: RequestHead): Presented {
  const query = queryOf(request)
  const { headers } = request
  const presented: Presented = {}
  const text =
    filled(bearer(headers.authorization)) ??
    filled(single(headers['x-api-key'])) ??
    filled(query.get('token')) ??
    filled(query.get('apiKey')) ??
    filled(cookie(headers.cookie))
  if (text !== undefined) presented.credential = readCredential(text)
  const project = filled(query.get('project')) ?? filled(single(headers['x-hubbub-project']))
  if (project !== undefined) presented.project = project
  return presented
}

/** `auth` of a Socket.IO handshake or of `auth.refresh`. Throws AUTH_INVALID_FORMAT. */
export function credentialFromAuth(auth: unknown): Presented {
  if (typeof auth !== 'object' || auth === null) return {}
  const fields = auth as Record<string, unknown>
  const presented: Presented = {}
  const given = [fields['token'], fields['apiKey'], fields['auth_token']].find((value) => value !== undefined && value !== null && value !== '')
  if (given !== undefined) {
    if (typeof given !== 'string') throw new HubError('AUTH_INVALID_FORMAT')
    presented.credential = readCredential(/^bearer\s/i.test(given) ? bearer(given)! : given)
  }
  const project = fields['project']
  if (project !== undefined && project !== null && project !== '') {
    if (typeof project !== 'string') throw new HubError('WRONG_PROJECT')
    presented.project = project
  }
  return presented
}

/** A handshake has both: what its `auth` says wins over the request that carries it. */
export function presentedFirst(auth: Presented, request: Presented): Presented {
  return { ...request, ...auth }
}

/** A JWT or an API key, told apart by form. Throws AUTH_INVALID_FORMAT. */
export function readCredential(text: string): Credential {
  if (splitKey(text)) return { kind: 'key', text }
  if (text.length <= 16_384 && JWT.test(text)) return { kind: 'token', text }
  throw new HubError('AUTH_INVALID_FORMAT')
}

export function queryOf(request: RequestHead): URLSearchParams {
  const url = request.originalUrl ?? request.url ?? ''
  const mark = url.indexOf('?')
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
}

/** Text after `Bearer`; undefined without a header. Throws for any other scheme, and for `Bearer` alone. */
function bearer(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined
  const match = /^bearer\s+(\S+)\s*$/i.exec(header)
  if (!match) throw new HubError('AUTH_INVALID_FORMAT')
  return match[1]!
}

function cookie(header: string | undefined): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === COOKIE) return pair.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1')
  }
  return undefined
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

/** An empty one, as of a client whose token is not set, is none. */
function filled(text: string | null | undefined): string | undefined {
  return text ? text : undefined
}
