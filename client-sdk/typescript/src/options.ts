import type { Transport } from './link.js'
import type { Backoff } from './state.js'

export interface ConnectOptions {
  /** A JWT, or a function that gives one: called at first, near its expiry, and once more when the hub refuses it. */
  token?: string | (() => string | Promise<string>)
  apiKey?: string
  /** Needed only when the token grants several. */
  project?: string
  /** Publishes held while there is no connection; one more fails with QUEUE_FULL. Default 1,000. */
  queueLimit?: number
  /** Events that a subscription holds for its async iterator; one more ends it with QUEUE_FULL. Default 10,000. */
  bufferLimit?: number
  /** Default 250 ms, doubled up to 10 s, half of it left to chance. */
  reconnect?: Partial<Backoff>
  /**
   * Ways to the hub, the best first; default `['websocket', 'polling', 'http']`. One that does not connect in three tries leads to the
   * next, and while a later one holds the better ones are tried again.
   */
  transports?: Transport[]
  /** ms between tries of a better transport, default 60,000; the first comes after a twelfth of it. */
  climbMs?: number
  /** ms, the most between two looks for events over HTTP where none waits for them; default 30,000. */
  pollMs?: number
  /** Large live events come compressed. Default true. */
  compress?: boolean
  /** Cookies on requests, for sticky sessions by cookie. Default false. */
  withCredentials?: boolean
  /** Default `/socket.io/`. */
  path?: string
  /** Of the HTTP API; default `/api/v1`. */
  apiPath?: string
  /** ms until an attempt to connect counts as failed. Default 5,000. */
  connectTimeoutMs?: number
  /** ms without an answer until the connection counts as dead. Default 35,000: the hub itself answers within 30 s. */
  ackTimeoutMs?: number
  /** ms from a publish's first sending until it fails with OUTCOME_UNKNOWN. Default 60,000. */
  publishTimeoutMs?: number
}

export type Settled = Required<Omit<ConnectOptions, 'token' | 'apiKey' | 'project' | 'reconnect'>> &
  Pick<ConnectOptions, 'token' | 'apiKey' | 'project'> & { reconnect: Backoff }

const TRANSPORTS: readonly Transport[] = ['websocket', 'polling', 'http']
/** The hub recognises a repeated id for at least 10 minutes; a retry must not come close to that. */
const LONGEST_PUBLISH_MS = 540_000

/** Fills in the defaults. Throws RangeError for a value that breaks a promise of the client. */
export function settle(options: ConnectOptions): Settled {
  const settled: Settled = {
    queueLimit: 1000,
    bufferLimit: 10_000,
    transports: [...TRANSPORTS],
    climbMs: 60_000,
    pollMs: 30_000,
    compress: true,
    withCredentials: false,
    path: '/socket.io/',
    apiPath: '/api/v1',
    connectTimeoutMs: 5000,
    ackTimeoutMs: 35_000,
    publishTimeoutMs: 60_000,
    ...defined(options),
    reconnect: { minMs: 250, maxMs: 10_000, jitter: 0.5, ...defined(options.reconnect ?? {}) },
  }
  check('publishTimeoutMs', settled.publishTimeoutMs, 1, LONGEST_PUBLISH_MS)
  check('ackTimeoutMs', settled.ackTimeoutMs, 1)
  check('connectTimeoutMs', settled.connectTimeoutMs, 1)
  check('climbMs', settled.climbMs, 1)
  check('pollMs', settled.pollMs, 1)
  check('queueLimit', settled.queueLimit, 0)
  check('bufferLimit', settled.bufferLimit, 1)
  check('reconnect.minMs', settled.reconnect.minMs, 1)
  check('reconnect.maxMs', settled.reconnect.maxMs, settled.reconnect.minMs)
  check('reconnect.jitter', settled.reconnect.jitter, 0, 1)
  const { transports } = settled
  if (transports.length === 0 || new Set(transports).size < transports.length || !transports.every((name) => TRANSPORTS.includes(name))) {
    throw new RangeError(`transports: ${transports.join(', ') || 'none'} is not allowed; allowed: some of ${TRANSPORTS.join(', ')}, each once`)
  }
  return settled
}

function check(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (!(value >= min && value <= max)) throw new RangeError(`${name}: ${value} is not allowed; allowed: ${min} to ${max}`)
}

/** An option given as undefined is an option not given. */
function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}
