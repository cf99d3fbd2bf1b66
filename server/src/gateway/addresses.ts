/**
 * Who is on the other side of a request: the client's own address, and the page's view of the hub. What a balancer says of them counts
 * only where HUBBUB_TRUST_PROXY names it: anybody can send the header.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { readProxies, type Proxies } from '../settings/proxies.js'
import type { Settings } from '../settings/table.js'

type ProxySettings = Pick<Settings, 'trustProxy'>

/** As of node:http, express and an engine's connection alike. */
export interface Arrived {
  headers: IncomingHttpHeaders
  socket: { remoteAddress?: string }
}

/** What the page of a request calls the hub. */
export interface Site {
  /** With its port, where it has one of its own. */
  host?: string
  /** Undefined where nobody says: the hub itself does not see whether TLS ends before it. */
  scheme?: 'http' | 'https'
}

/** A socket of the file system has no address. */
const NOWHERE = 'local'
const known = new Map<string, Proxies>()

export function proxiesOf({ trustProxy }: ProxySettings): Proxies {
  let proxies = known.get(trustProxy)
  if (!proxies) known.set(trustProxy, (proxies = readProxies(trustProxy)))
  return proxies
}

/** For limits and logs: as a peer, or as the nearest trusted balancer says it. An IPv4 address is always written as one. */
export function clientAddress(settings: ProxySettings, { headers, socket }: Arrived): string {
  let address = plain(socket.remoteAddress ?? NOWHERE)
  const proxies = proxiesOf(settings)
  // Only those that count are looked at: anybody may send thousands.
  const told = String(headers['x-forwarded-for'] ?? '').split(',')
  for (let hop = 0; trusts(proxies, address, hop) && told.length > 0; hop++) {
    const before = plain(told.pop()!.trim())
    // What is no address was made up, by whoever stands before: the last one that is believed counts.
    if (isIP(before) === 0) break
    address = before
  }
  return address
}

/** Whose limits an address counts against: a client of IPv6 has 2^64 of them, and may use one after the other. */
export function neighbourhoodOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [front = '', back] = address.split('::')
  const groups = front.split(':').filter((group) => group !== '')
  const rest = (back ?? '').split(':').filter((group) => group !== '')
  // `::` stands for the zeros that are missing of eight groups; an IPv4 tail is two of them.
  const missing = back === undefined ? 0 : 8 - groups.length - rest.length - (rest.at(-1)?.includes('.') ? 1 : 0)
  const all = [...groups, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...rest]
  return `${all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}

/** `Host`, or what a trusted balancer says that it was before it. */
export function siteOf(settings: ProxySettings & Pick<Settings, 'auth'>, { headers, socket }: Arrived): Site {
  if (!trusts(proxiesOf(settings), plain(socket.remoteAddress ?? NOWHERE), 0)) return headers.host === undefined ? {} : { host: headers.host }
  // Without credentials only the loopback name protects the hub, and a page whose name points here may send any header to its own host.
  const host = (settings.auth === 'none' ? undefined : first(headers['x-forwarded-host'])) ?? headers.host
  const scheme = SCHEMES[first(headers['x-forwarded-proto'])?.toLowerCase() ?? '']
  return { ...(host !== undefined && { host }), ...(scheme && { scheme }) }
}

/** Some balancers name the protocol behind the upgrade. */
const SCHEMES: Readonly<Record<string, 'http' | 'https' | undefined>> = { http: 'http', ws: 'http', https: 'https', wss: 'https' }

/** A balancer that reaches the hub over a socket of the file system stands on this machine. */
function trusts(proxies: Proxies, address: string, hop: number): boolean {
  return address === NOWHERE ? proxies.trusts('127.0.0.1', hop) : proxies.trusts(address, hop)
}

function first(header: string | string[] | undefined): string | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.split(',')[0]?.trim()
  return text === '' ? undefined : text
}

/** Without a port, brackets or a zone, which some balancers add; an IPv4 address out of the IPv6 one around it. */
function plain(text: string): string {
  const unbracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
  const address = unbracketed.replace(/%.*$/, '').toLowerCase()
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address
}
