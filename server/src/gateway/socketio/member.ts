/** One connected client: its socket, its connection to the journal, its rooms, and the end of its credential. */
import { HubError, topicMatches, type CommandCall, type Failure, type FailureCode, type Signal } from '@hubbub/protocol'
import type { Socket } from 'socket.io'
import type { Authenticator } from '../../access/authenticator.js'
import { credentialFromAuth } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import type { Buckets } from '../../access/rate.js'
import type { Encoding } from '../../fanout/entry.js'
import type { Logger } from '../../observe/log.js'
import type { Metrics } from '../../observe/metrics.js'
import type { Profile } from '../../operations/agents.js'
import type { Attendance, ClosedBecause } from '../../operations/attendance.js'
import type { Connection } from '../../operations/connection.js'
import { roomsOfPatterns, type Operations } from '../../operations/operations.js'
import type { Door } from '../../operations/presence.js'
import type { Settings } from '../../settings/table.js'
import type { Admission } from './admission.js'
import type { Client } from './messages.js'
import { Watchdog } from './watchdog.js'
import { SocketOutlet, type EngineConnection } from './wire.js'

export interface MemberDeps {
  operations: Operations
  attendance: Attendance
  authenticator: Pick<Authenticator, 'authenticate'>
  buckets: Buckets
  settings: Settings
  metrics: Metrics
  log: Logger
  onConnect?: (client: { id: string; subject: string; project: string }) => void
  onDisconnect?: (client: { id: string; subject: string; project: string; reason: string }) => void
}

/** setTimeout's own bound; a credential that lasts longer is looked at again then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Ends that the hub did not bring about, in Socket.IO's words. All others are the transport's. */
const REASONS: Readonly<Record<string, ClosedBecause>> = {
  'client namespace disconnect': 'client disconnected',
  'ping timeout': 'ping timeout',
  'server shutting down': 'server shutting down',
}

/** Ends for which the client is told a failure. */
const REASONS_OF_FAILURES: { [C in FailureCode]?: ClosedBecause } = { AUTH_TOKEN_EXPIRED: 'credential expired', AUTH_REVOKED: 'revoked' }

export class Member implements Client {
  readonly connection: Connection
  private expiry?: NodeJS.Timeout
  private readonly transport: string
  private rooms = new Set<string>()
  private readonly watchdog: Watchdog
  private registration?: Profile
  /** Why the hub ended it. */
  private ending?: ClosedBecause

  constructor(private readonly socket: Socket, admission: Admission, encoding: Encoding, private readonly deps: MemberDeps) {
    const outlet = new SocketOutlet(encoding, socket.conn as unknown as EngineConnection, deps.metrics)
    const { resumed, sessionId, identity, mail } = admission
    this.connection = admission.admit(outlet, {
      recovery: { id: sessionId, generation: resumed?.generation ?? 1, expel: () => this.leave('taken over') },
      resume: resumed && { cursor: resumed.cursor, subscriptions: resumed.record.subscriptions },
      mail,
    })
    const { positionCursor } = this.connection.session
    for (const gap of [admission.gap, mail?.gap]) if (gap) outlet.gap(gap, positionCursor)
    // A cursor before anything else was heard: without one the stock client cannot come back to its place.
    if (!resumed) outlet.bookmark(positionCursor)
    this.transport = socket.conn.transport.name
    deps.metrics.connections.inc({ transport: this.transport })
    deps.metrics.connectionsTotal.inc()
    this.subscribed()
    this.watchExpiry()
    this.watchdog = new Watchdog(deps.settings.offlineMs, () => this.giveUp())
    if (resumed && identity.role === 'agent') this.recall()
    deps.attendance.opened(identity, socket.id)
    deps.onConnect?.({ id: socket.id, subject: identity.subject, project: identity.project })
  }

  get id(): string {
    return this.socket.id
  }

  identity(): Identity {
    return this.connection.identity
  }

  subscribed(): void {
    const wanted = new Set(this.connection.subscriptions.flatMap((subscription) => roomsOfPatterns(this.identity().project, subscription.topics)))
    for (const room of this.rooms) if (!wanted.has(room)) void this.socket.leave(room)
    const fresh = [...wanted].filter((room) => !this.rooms.has(room))
    if (fresh.length > 0) void this.socket.join(fresh)
    this.rooms = wanted
    this.deps.operations.presence.follow(this.connection)
  }

  /** Into a room that is of no subscription. A socket that is gone would never leave it. */
  readonly door: Door = (room, inside) => {
    if (!inside) void this.socket.leave(room)
    else if (this.socket.connected) void this.socket.join(room)
  }

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
    if (this.socket.connected) this.watchdog.watch()
  }

  watches(topic: string): boolean {
    return this.connection.subscriptions.some(({ topics }) => topics.some((pattern) => topicMatches(pattern, topic)))
  }

  async ask(call: CommandCall): Promise<unknown> {
    try {
      const answer: unknown = await this.socket.timeout(call.timeoutMs).emitWithAck('command', call)
      this.heard()
      return answer
    } catch (error) {
      throw new HubError('COMMAND_TIMEOUT', undefined, undefined, { cause: error })
    }
  }

  signal(signal: Signal): void {
    this.socket.emit('signal', signal)
  }

  /** Same subject, same project: anything else is another connection. */
  async refresh(auth: unknown): Promise<{ expiresAt?: number }> {
    const before = this.identity()
    const { credential } = credentialFromAuth(auth)
    if (!credential) throw new HubError('AUTH_MISSING_TOKEN')
    const identity = await this.deps.authenticator.authenticate(credential, before.project)
    if (identity.subject !== before.subject) throw new HubError('AUTH_INVALID_TOKEN', 'The new token is of another subject.')
    await this.connection.renew(identity)
    this.subscribed()
    this.watchExpiry()
    return identity.expiresAt === undefined ? {} : { expiresAt: identity.expiresAt }
  }

  complain(error: Failure): void {
    this.socket.emit('hub.error', error)
  }

  /** Its credential ended: told why, then closed so that it does not come back with the same one by itself. */
  end(reason: HubError): void {
    this.deps.metrics.rejections.inc({ code: reason.code })
    this.complain(reason.toJSON())
    this.ending ??= REASONS_OF_FAILURES[reason.code]
    this.socket.disconnect(true)
  }

  /** Closed so that the client reconnects: to another worker, or as whoever resumed its session. */
  leave(reason: ClosedBecause): void {
    this.ending ??= reason
    this.socket.conn.close()
  }

  left(reason: string): void {
    clearTimeout(this.expiry)
    this.watchdog.stop()
    this.deps.attendance.closed(this.identity(), this.id, this.ending ?? REASONS[reason] ?? 'transport closed')
    this.deps.operations.disconnect(this.connection)
    this.deps.operations.executors.gone(this.id)
    this.deps.buckets.forget(this.id)
    this.deps.metrics.connections.dec({ transport: this.transport })
    const { subject, project } = this.identity()
    this.deps.onDisconnect?.({ id: this.id, subject, project, reason })
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

  private watchExpiry(): void {
    clearTimeout(this.expiry)
    const { expiresAt } = this.identity()
    if (expiresAt === undefined) return
    const ms = expiresAt - Date.now()
    this.expiry = setTimeout(() => (ms > LONGEST_TIMER_MS ? this.watchExpiry() : this.end(new HubError('AUTH_TOKEN_EXPIRED'))), Math.max(0, Math.min(ms, LONGEST_TIMER_MS)))
  }
}
