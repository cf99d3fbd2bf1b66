/**
 * Whoever is connected, by whatever wire: a connection to the journal, an identity whose credential ends, an agent's silence, and the
 * way out. What differs between wires is in the subclasses.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { HubError, topicMatches, type CommandCall, type Draining, type Failure, type FailureCode, type Signal } from '@hubbub/protocol'
import type { Authenticator } from '../access/authenticator.js'
import { credentialFromAuth } from '../access/credentials.js'
import type { Identity } from '../access/identity.js'
import type { Buckets } from '../access/rate.js'
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Witness } from '../observe/witness.js'
import type { Profile } from '../operations/agents.js'
import type { Attendance, ClosedBecause } from '../operations/attendance.js'
import type { Connection } from '../operations/connection.js'
import type { Operations } from '../operations/operations.js'
import type { Door } from '../operations/presence.js'
import type { Settings } from '../settings/table.js'
import type { Departing } from './drainage.js'
import { Expiry } from './expiry.js'
import type { Client } from './messages.js'
import { atMost } from './patience.js'
import { Watchdog } from './watchdog.js'

export interface GuestDeps {
  operations: Operations
  attendance: Attendance
  authenticator: Pick<Authenticator, 'authenticate'>
  buckets: Buckets
  settings: Settings
  metrics: Metrics
  witness?: Witness
  log: Logger
  onConnect?: (client: { id: string; subject: string; project: string }) => void
  onDisconnect?: (client: { id: string; subject: string; project: string; reason: string }) => void
}

/** Ends for which the client is told a failure. */
const REASONS_OF_FAILURES: { [C in FailureCode]?: ClosedBecause } = { AUTH_TOKEN_EXPIRED: 'credential expired', AUTH_REVOKED: 'revoked' }

/** Of a client whose worker stops: what it asked is answered within it, or its connection is closed all the same; ms. */
const ANSWER_MS = 1000

export abstract class Guest implements Client, Departing {
  readonly connection: Connection
  private readonly expiry = new Expiry(() => this.end(new HubError('AUTH_TOKEN_EXPIRED')))
  private readonly watchdog: Watchdog
  private registration?: Profile
  /** Why the hub ended it. */
  private ending?: ClosedBecause
  /** Messages that it asked and that are not answered yet. */
  private asked = 0
  private onAnswered?: () => void

  /** @param open takes the place in the journal; nothing is awaited */
  protected constructor(readonly id: string, private readonly transport: string, protected readonly deps: GuestDeps, open: (guest: Guest) => Connection) {
    this.connection = open(this)
    this.watchdog = new Watchdog(deps.settings.offlineMs, () => this.giveUp())
  }

  /** The last step of a subclass's constructor. `returned`: its session, and so perhaps its registration, is of an earlier connection. */
  protected begin(returned: boolean): void {
    const { deps } = this
    deps.metrics.connections.inc({ transport: this.transport })
    deps.metrics.connectionsTotal.inc()
    this.subscribed()
    this.expiry.watch(this.identity().expiresAt)
    const identity = this.identity()
    if (returned && identity.role === 'agent') this.recall()
    deps.attendance.opened(identity, this.id)
    deps.onConnect?.({ id: this.id, subject: identity.subject, project: identity.project })
  }

  identity(): Identity {
    return this.connection.identity
  }

  /** Subscriptions changed: the rooms for signals follow them. */
  subscribed(): void {
    this.followRooms()
    this.deps.operations.presence.follow(this.connection)
  }

  /** Into a room that is of no subscription. A client that is gone would never leave it. */
  abstract readonly door: Door
  abstract ask(call: CommandCall): Promise<unknown>
  abstract signal(signal: Signal): void
  abstract complain(error: Failure): void
  /** The worker stops. */
  protected abstract tellDraining(notice: Draining): void
  protected abstract get isOpen(): boolean
  protected abstract followRooms(): void
  /** For good: the client must not come back with the same credential by itself. */
  protected abstract dismiss(reason: HubError): void
  /** So that the client comes back. */
  protected abstract release(because: ClosedBecause): void

  profile(): Profile {
    const { agentType, capabilities = [] } = this.identity()
    return this.registration ?? { agentType, capabilities }
  }

  heard(): void {
    this.watchdog.heard()
  }

  registered(profile: Profile): void {
    if (this.identity().role !== 'agent') return
    this.registration = profile
    if (this.isOpen) this.watchdog.watch()
  }

  watches(topic: string): boolean {
    return this.connection.subscriptions.some(({ topics }) => topics.some((pattern) => topicMatches(pattern, topic)))
  }

  /** Same subject, same project: anything else is another connection. */
  async refresh(auth: unknown): Promise<{ expiresAt?: number }> {
    const before = this.identity()
    const { credential } = credentialFromAuth(auth)
    if (!credential) throw new HubError('AUTH_MISSING_TOKEN')
    const identity = await this.deps.authenticator.authenticate(credential, before.project)
    if (identity.subject !== before.subject) throw new HubError('AUTH_INVALID_TOKEN', 'The new token is of another subject.')
    await this.connection.renew(identity)
    // Gone meanwhile: nobody would leave these rooms, or stop this clock.
    if (!this.isOpen) throw new HubError('UNAVAILABLE', 'The connection is gone.')
    this.subscribed()
    this.expiry.watch(this.identity().expiresAt)
    return identity.expiresAt === undefined ? {} : { expiresAt: identity.expiresAt }
  }

  /** Its credential ended, or it broke the protocol: told why, then closed. */
  end(reason: HubError): void {
    this.deps.metrics.rejections.inc({ code: reason.code })
    this.complain(reason.toJSON())
    this.ending ??= REASONS_OF_FAILURES[reason.code]
    this.dismiss(reason)
  }

  /** Closed so that the client reconnects: to another worker, or as whoever resumed its session. */
  leave(reason: ClosedBecause): void {
    this.ending ??= reason
    this.release(reason)
  }

  get isHere(): boolean {
    return this.isOpen
  }

  /** Whoever goes by itself from now on goes because the worker stops. */
  warn(notice: Draining): void {
    this.ending ??= 'server shutting down'
    this.tellDraining(notice)
  }

  /** A publish whose answer is lost is one that its client must repeat: closed in a moment in which nothing is under way, if there is one. */
  async depart(): Promise<void> {
    // What has come by now is read first: timers run before sockets.
    await turn()
    await turn()
    if (this.asked > 0) await atMost(ANSWER_MS, new Promise<void>((resolve) => (this.onAnswered = resolve)))
    if (this.isOpen) this.leave('server shutting down')
  }

  /** Something was asked; what it answers with is to be called once when it was answered. */
  asks(): () => void {
    this.asked++
    return () => {
      if (--this.asked === 0) this.onAnswered?.()
    }
  }

  /** @param wire what the transport says of the end; @param because the same in the protocol's words */
  left(wire: string, because: ClosedBecause): void {
    this.expiry.stop()
    this.watchdog.stop()
    const { operations, attendance, buckets, metrics } = this.deps
    attendance.closed(this.identity(), this.id, this.ending ?? because)
    operations.disconnect(this.connection)
    operations.executors.gone(this.id)
    buckets.forget(this.id)
    metrics.connections.dec({ transport: this.transport })
    const { subject, project } = this.identity()
    this.deps.onDisconnect?.({ id: this.id, subject, project, reason: wire })
  }

  /** The agent is silent, its connection is not: it may come back, and speak again. */
  private giveUp(): void {
    const { offlineMs } = this.deps.settings
    const failure = new HubError('TIMEOUT', `Nothing was heard from this agent for ${offlineMs} ms.`, { silentMs: offlineMs, setting: 'HUBBUB_OFFLINE_MS' })
    this.deps.metrics.rejections.inc({ code: failure.code })
    this.complain(failure.toJSON())
    this.leave('heartbeat timeout')
  }

  /** A session that comes back registered on an earlier connection. Nothing waits for it. */
  private recall(): void {
    this.deps.operations.recall(this.identity()).then(
      (profile) => {
        if (profile && !this.registration) this.registered(profile)
      },
      (error: unknown) => this.deps.log.debug({ err: error, connection: this.id }, 'an agent\'s registration was not recalled'),
    )
  }
}
