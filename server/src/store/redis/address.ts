/**
 * What REDIS_URL says: one Redis, a master that Sentinels know, or a Cluster.
 *
 *   redis://[user:password@]host:port[/database]                          rediss:// with TLS
 *   redis+sentinel://[user:password@]host:port,host:port/MASTER           the hosts are Sentinels
 *       [?sentinelUser=..&sentinelPassword=..]                            of the Sentinels; user and password above are Redis' own
 *   redis+cluster://[user:password@]host:port,host:port                   the hosts are nodes to begin with
 */
import { SettingError } from '../../settings/read.js'

export interface Endpoint {
  host: string
  port: number
}

export interface Credentials {
  username?: string
  password?: string
}

export interface RedisAddress {
  kind: 'standalone' | 'sentinel' | 'cluster'
  tls: boolean
  /** At least one. */
  endpoints: readonly Endpoint[]
  credentials: Credentials
  database: number
  /** Of a Sentinel address: the name under which the Sentinels know the master, and their own credentials. */
  master: string
  sentinelCredentials: Credentials
}

const FORM = /^redis(?<tls>s?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<user>[^/?#]*)@)?(?<hosts>[^@/?#]*)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/
const PORTS = { standalone: 6379, sentinel: 26379, cluster: 6379 } as const
const PARAMETERS = ['sentinelUser', 'sentinelPassword']

/** Throws a `SettingError` of one line that repeats neither user nor password. */
export function parseAddress(url: string): RedisAddress {
  const groups = FORM.exec(url)?.groups
  if (!groups) throw refusal('it is no address of a Redis')
  const kind = (groups['kind'] ?? 'standalone') as RedisAddress['kind']
  const endpoints = (groups['hosts'] ?? '').split(',').map((text) => endpointOf(text, PORTS[kind]))
  if (kind === 'standalone' && endpoints.length > 1) throw refusal('several hosts are of a Cluster or of Sentinels')
  const path = decoded(groups['path'] ?? '')
  if (kind === 'sentinel' && path === '') throw refusal('the name of the master is missing')
  if (kind !== 'sentinel' && !/^\d{0,4}$/.test(path)) throw refusal(`'${path}' is no number of a database`)
  if (kind === 'cluster' && Number(path) !== 0) throw refusal('a Cluster has database 0 only')
  const sentinel = sentinelCredentials(kind, groups['query'] ?? '')
  return {
    kind,
    tls: groups['tls'] === 's',
    endpoints,
    credentials: credentialsOf(groups['user'] ?? ''),
    database: kind === 'standalone' ? Number(path) : 0,
    master: kind === 'sentinel' ? path : '',
    sentinelCredentials: sentinel,
  }
}

export function endpointName({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function endpointOf(text: string, usual: number): Endpoint {
  const parts = /^(?:\[(?<v6>[0-9a-fA-F:.%]+)\]|(?<host>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups
  const port = Number(parts?.['port'] ?? usual)
  if (!parts || port < 1 || port > 65_535) throw refusal(text === '' ? 'a host is missing' : `'${text}' is no host:port`)
  return { host: parts['v6'] ?? parts['host']!, port }
}

function credentialsOf(text: string): Credentials {
  const colon = text.indexOf(':')
  const username = decoded(colon < 0 ? text : text.slice(0, colon))
  const password = colon < 0 ? '' : decoded(text.slice(colon + 1))
  return { ...(username && { username }), ...(password && { password }) }
}

function sentinelCredentials(kind: RedisAddress['kind'], query: string): Credentials {
  const given = new URLSearchParams(query)
  for (const name of given.keys()) {
    if (kind !== 'sentinel' || !PARAMETERS.includes(name)) throw refusal(`'${name}' is no parameter of it`)
  }
  const [username, password] = PARAMETERS.map((name) => given.get(name))
  return { ...(username && { username }), ...(password && { password }) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refusal('a % in it is not followed by two hexadecimal digits')
  }
}

function refusal(reason: string): SettingError {
  return new SettingError(
    `REDIS_URL: ${reason}; allowed: redis://[user:password@]host:port[/database], redis+sentinel://[user:password@]host:port,host:port/MASTER, ` +
      'redis+cluster://[user:password@]host:port,host:port; rediss instead of redis for TLS',
  )
}
