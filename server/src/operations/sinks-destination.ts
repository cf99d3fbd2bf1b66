/**
 * Where outgoing webhooks may go. Whoever may add a sink makes the hub speak to an address of his choice: without these rules to the
 * hub's own neighbours, which trust whoever is inside. A name is resolved when a sink is added, so that a mistake is told at once; what
 * counts is the check of the address that a connection really goes to, at each connection, for a name may lead elsewhere by then.
 */
import { lookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import { HubError } from '@hubbub/protocol'
import { SettingError } from '../settings/read.js'
import type { Settings } from '../settings/table.js'

const LONGEST_URL = 2048
const RESOLVE_MS = 5000

/** IANA's special-purpose registries; IPv6 that carries an IPv4 address (mapped, translated, NAT64, 6to4, Teredo) could lead to any of the first. */
const SPECIAL = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24',
  '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
  '::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '100:0:0:1::/64', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '5f00::/16',
  'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8',
]

export type SinkSettings = Pick<Settings, 'sinkPrivate' | 'sinkHttp' | 'sinkPorts'>

export class Destinations {
  private readonly special = listOf(SPECIAL)
  private readonly exempt: Networks
  private readonly ports: ReadonlySet<string> | undefined

  /** Throws SettingError for a network that is none. */
  constructor(private readonly settings: SinkSettings) {
    const { sinkPrivate, sinkPorts } = settings
    this.exempt = listOf(sinkPrivate === 'allow' ? ['0.0.0.0/0', '::/0'] : sinkPrivate === 'refuse' ? [] : sinkPrivate.split(','))
    this.ports = sinkPorts === '*' ? undefined : new Set(sinkPorts.split(','))
  }

  /** Of an IP address as text; anything else is not permitted. */
  permits(address: string): boolean {
    const plain = unmapped(address)
    if (isIP(plain) === 0) return false
    return !contains(this.special, plain) || contains(this.exempt, plain)
  }

  /** All but what its name resolves to. Throws INVALID_MESSAGE. */
  checkUrl(text: unknown): URL {
    if (typeof text !== 'string' || text.length > LONGEST_URL || !URL.canParse(text)) throw wrong(`must be a URL of at most ${LONGEST_URL} characters`)
    const url = new URL(text)
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw wrong('must be an https:// URL')
    if (url.protocol === 'http:' && this.settings.sinkHttp !== 'allow') throw wrong('must be an https:// URL', 'HUBBUB_SINK_HTTP')
    if (url.username !== '' || url.password !== '') throw wrong('must not hold a user name or password; send them in `headers`')
    if (url.hash !== '') throw wrong('must not have a fragment')
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    if (this.ports && !this.ports.has(port)) throw wrong(`must not name port ${port}`, 'HUBBUB_SINK_PORTS')
    const literal = hostOf(url)
    if (isIP(literal) !== 0 && !this.permits(literal)) throw this.refusal()
    return url
  }

  /** As `checkUrl`, and looks where its name leads: refused if only one of the addresses is. UNAVAILABLE when nobody can tell now. */
  async checkTarget(text: unknown): Promise<URL> {
    const url = this.checkUrl(text)
    const host = hostOf(url)
    if (isIP(host) !== 0) return url
    const found = await resolve(host)
    if (!found.every(({ address }) => this.permits(address))) throw this.refusal()
    return url
  }

  /** INVALID_MESSAGE; does not say where a name leads, for it may be a name of our own network. */
  refusal(): HubError {
    return wrong('leads to a private or special address', 'HUBBUB_SINK_PRIVATE')
  }
}

/** The host as `isIP` takes it: without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** An IPv4 address inside an IPv6 one is judged as itself. */
function unmapped(address: string): string {
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address)
  if (!mapped) return address
  if (mapped[1] !== undefined) return mapped[1]
  const [high, low] = [Number.parseInt(mapped[2]!, 16), Number.parseInt(mapped[3]!, 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** A list of each family: in one list every IPv4 address would be found in the network of mapped ones. */
interface Networks {
  ipv4: BlockList
  ipv6: BlockList
}

function contains(networks: Networks, address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  return networks[family].check(address, family)
}

function listOf(networks: readonly string[]): Networks {
  const list: Networks = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    try {
      list[family].addSubnet(address, Number(prefix), family)
    } catch {
      throw new SettingError(`HUBBUB_SINK_PRIVATE: '${network}' is not allowed; allowed: refuse, allow, or comma-separated networks such as 10.1.0.0/16`)
    }
  }
  return list
}

function resolve(host: string): Promise<LookupAddress[]> {
  return new Promise((done, refuse) => {
    const late = setTimeout(() => refuse(new HubError('UNAVAILABLE', `The name ${host} could not be resolved in time.`)), RESOLVE_MS)
    lookup(host, { all: true }, (error, found) => {
      clearTimeout(late)
      if (!error) done(found)
      else if (error.code === 'ENOTFOUND') refuse(wrong('names a host that does not exist'))
      else refuse(new HubError('UNAVAILABLE', `The name ${host} could not be resolved.`, undefined, { cause: error }))
    })
  })
}

function wrong(problem: string, setting?: string): HubError {
  return new HubError('INVALID_MESSAGE', `\`url\` ${problem}.`, { path: 'url', problem, ...(setting && { setting }) })
}
