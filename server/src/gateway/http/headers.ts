/**
 * Headers of every HTTP answer, whatever route, failure or wire it is of. One table of seven lines: a package for it would bring its own
 * defaults, of which half would have to be switched off for an API.
 */
import type { ServerResponse } from 'node:http'
import type { Settings } from '../../settings/table.js'

/** A page says for itself what it may load; whatever is none may load nothing, and nobody may put it into a frame. */
const NOTHING = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join('; ')

const ALWAYS: Readonly<Record<string, string>> = {
  // Answers are of one caller and one moment: no cache may keep them. Files that may be kept say so.
  'Cache-Control': 'no-store',
  'Content-Security-Policy': NOTHING,
  // For pages of other origins that load it without asking (`<script>`, `<img>`); those that ask are CORS' business.
  'Cross-Origin-Resource-Policy': 'same-origin',
  // An address may hold a token.
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** @returns names and values; HSTS only where the operator says that TLS stands in front: it would shut out a hub without. */
export function securityHeaders({ hstsSeconds }: Pick<Settings, 'hstsSeconds'>): Readonly<Record<string, string>> {
  return hstsSeconds === 0 ? ALWAYS : { ...ALWAYS, 'Strict-Transport-Security': `max-age=${hstsSeconds}` }
}

/** Before anything else is done: whatever ends the request then, its answer has them. */
export function secure(response: ServerResponse, settings: Pick<Settings, 'hstsSeconds'>): void {
  for (const [name, value] of Object.entries(securityHeaders(settings))) response.setHeader(name, value)
}
