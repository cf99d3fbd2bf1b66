/**
 * Who may come in, before anything is done for them: every wire asks here. A crowd that comes back at once, one address or one subject that
 * takes all the room, and whoever tries one credential after the other are told to come later.
 */
import { HubError } from '@hubbub/protocol'
import type { Authenticator } from '../access/authenticator.js'
import type { Credential } from '../access/credentials.js'
import type { Identity } from '../access/identity.js'
import { createBuckets, type Buckets } from '../access/rate.js'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import { clientAddress, neighbourhoodOf, proxiesOf, type Arrived } from './addresses.js'
import type { Drainage } from './drainage.js'
import { Guesses } from './guesses.js'

export interface GatekeeperDeps {
  settings: Settings
  authenticator: Pick<Authenticator, 'authenticate'>
  log: Logger
  drainage: Pick<Drainage, 'refuses'>
  /** Open on this worker, by whatever wire. */
  connections: () => number
}

/** Gives a place back; more than once does no harm. */
export type Leave = () => void

/** Whoever is refused comes back within so long, by chance; ms. */
const RETRY_SPREAD_MS = 3000
const NOTHING: Leave = () => undefined

export class Gatekeeper {
  private readonly rate?: Buckets
  private readonly addresses = new Places()
  private readonly subjects = new Places()
  private readonly guesses: Guesses
  private hasWarned = false

  constructor(private readonly deps: GatekeeperDeps) {
    const { settings, log } = deps
    if (settings.connectRate > 0) this.rate = createBuckets(settings.connectRate, settings.connectBurst)
    this.guesses = new Guesses(settings, log)
  }

  /**
   * A new connection; what is answered is to be called when it is over, or came to nothing. Throws UNAVAILABLE, CONNECT_RATE, CONNECTION_LIMIT.
   */
  enter(request: Arrived): Leave {
    const { settings, drainage, connections } = this.deps
    if (drainage.refuses) throw new HubError('UNAVAILABLE', 'This worker is stopping.')
    const wait = this.rate?.take('') ?? 0
    if (wait > 0) throw new HubError('CONNECT_RATE', undefined, { retryAfterMs: later(wait), limit: settings.connectRate, unit: 'connections/s', setting: 'HUBBUB_CONNECT_RATE' })
    if (connections() >= settings.maxConnections) throw full(settings.maxConnections, 'HUBBUB_MAX_CONNECTIONS')
    const { addressConnections } = settings
    if (addressConnections === 0) return NOTHING
    return this.addresses.take(neighbourhoodOf(this.addressOf(request)), addressConnections) ?? refuse(full(addressConnections, 'HUBBUB_CONNECTIONS_PER_ADDRESS', 'connections of this address'))
  }

  /** Of a connection that was let in: whose it is. Throws CONNECTION_LIMIT. */
  seat({ project, subject }: Identity): Leave {
    const { subjectConnections } = this.deps.settings
    if (subjectConnections === 0) return NOTHING
    return this.subjects.take(`${project} ${subject}`, subjectConnections) ?? refuse(full(subjectConnections, 'HUBBUB_CONNECTIONS_PER_SUBJECT', 'connections of this subject'))
  }

  /** As the authenticator does; and RATE_LIMITED for an address that has shown too many that are none. */
  async authenticate(request: Arrived, credential: Credential | undefined, project?: string): Promise<Identity> {
    const { authenticator, settings } = this.deps
    if (credential === undefined || settings.authFailures === 0) return await authenticator.authenticate(credential, project)
    return await this.guesses.attempt(neighbourhoodOf(this.addressOf(request)), credential, () => authenticator.authenticate(credential, project))
  }

  private addressOf(request: Arrived): string {
    const { settings, log } = this.deps
    if (!this.hasWarned && request.headers['x-forwarded-for'] !== undefined && !proxiesOf(settings).trusts(clientAddress(settings, { ...request, headers: {} }), 0)) {
      this.hasWarned = true
      log.warn({ peer: request.socket.remoteAddress, setting: 'HUBBUB_TRUST_PROXY' }, 'X-Forwarded-For of a peer that is not trusted: everybody behind it counts as one address')
    }
    return clientAddress(settings, request)
  }
}

/** Who holds how many. */
class Places {
  private readonly held = new Map<string, number>()

  /** Undefined: there is none left. */
  take(holder: string, most: number): Leave | undefined {
    const held = this.held.get(holder) ?? 0
    if (held >= most) return undefined
    this.held.set(holder, held + 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const left = this.held.get(holder)! - 1
      if (left === 0) this.held.delete(holder)
      else this.held.set(holder, left)
    }
  }
}

function full(limit: number, setting: string, unit = 'connections'): HubError {
  return new HubError('CONNECTION_LIMIT', undefined, { limit, unit, setting, retryAfterMs: later(0) })
}

function later(ms: number): number {
  return Math.ceil(ms + Math.random() * RETRY_SPREAD_MS)
}

function refuse(error: HubError): never {
  throw error
}
