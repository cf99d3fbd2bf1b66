/** Which pages may use the hub: one rule for CORS, for requests that change something, and for upgrades. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Settings } from '../settings/table.js'
import type { Site } from './addresses.js'

type OriginSettings = Pick<Settings, 'auth' | 'corsOrigins'>

/**
 * `origin` as in the request's headers, `site` what its page calls the hub. Allowed: no origin (not a browser, or its own page), the
 * hub's own host, an origin that is listed, or `*`. Where it is known that TLS ends at a balancer, a page that came without it is no own one.
 * With HUBBUB_AUTH=none everybody on this machine is admin, so the host itself must be a loopback name: otherwise a
 * foreign page whose name was pointed at 127.0.0.1 (DNS rebinding) would be the hub's "own" page.
 */
export function originAllowed(settings: OriginSettings, origin: string | undefined, site: Site): boolean {
  const { host } = site
  if (settings.auth === 'none' && host !== undefined && !isLoopback(host)) return false
  if (origin === undefined) return true
  return originListed(settings, origin) || isOwn(origin, site)
}

/** With `*` no page may use a visitor's cookie. CORS sees to that for answers; a request's effects, and WebSockets, are not its business. */
export function dropForeignCookie(settings: OriginSettings, headers: IncomingHttpHeaders, site: Site): void {
  const { origin } = headers
  if (origin !== undefined && !isOwn(origin, site) && originListed(settings, '*')) delete headers.cookie
}

/** Listed by name or by `*`; the hub's own host is not looked at. */
export function originListed(settings: OriginSettings, origin: string): boolean {
  const given = origin.toLowerCase()
  return settings.corsOrigins.split(',').some((entry) => {
    const listed = entry.trim().toLowerCase().replace(/\/$/, '')
    return listed === '*' || (listed !== '' && listed === given)
  })
}

/** Ports that a scheme implies count: `https://hub.example` is the page of `hub.example:443`. */
function isOwn(origin: string, { host, scheme }: Site): boolean {
  const page = parse(origin)
  if (page === undefined || host === undefined || !/^https?:$/.test(page.protocol)) return false
  return (scheme === undefined || page.protocol === `${scheme}:`) && parse(`${page.protocol}//${host}`)?.host === page.host
}

function isLoopback(host: string): boolean {
  const name = parse(`http://${host}`)?.hostname ?? ''
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name)
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}
