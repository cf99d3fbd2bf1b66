/** One connected client: its socket, its connection to the journal, its rooms, and the end of its credential. */
import { HubError, type Failure } from '@hubbub/protocol'
import type { Socket } from 'socket.io'
import type { Authenticator } from '../../access/authenticator.js'
import { credentialFromAuth } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import type { Buckets } from '../../access/rate.js'
import type { Encoding } from '../../fanout/entry.js'
import type { Metrics } from '../../observe/metrics.js'
import type { Connection } from '../../operations/connection.js'
import { roomsOfPatterns, type Operations } from '../../operations/operations.js'
import type { Admission } from './admission.js'
import type { Client } from './messages.js'
import { SocketOutlet, type EngineConnection } from './wire.js'

export interface MemberDeps {
  operations: Operations
  authenticator: Pick<Authenticator, 'authenticate'>
  buckets: Buckets
  metrics: Metrics
  onConnect?: (client: { id: string; subject: string; project: string }) => void
  onDisconnect?: (client: { id: string; subject: string; project: string; reason: string }) => void
}

/** setTimeout's own bound; a credential that lasts longer is looked at again then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export class Member implements Client {
  readonly connection: Connection
  private expiry?: NodeJS.Timeout
  private readonly transport: string
  private rooms = new Set<string>()

  constructor(private readonly socket: Socket, admission: Admission, encoding: Encoding, private readonly deps: MemberDeps) {
    const outlet = new SocketOutlet(encoding, socket.conn as unknown as EngineConnection, deps.metrics)
    const { resumed, sessionId, identity } = admission
    this.connection = admission.admit(outlet, {
      recovery: { id: sessionId, generation: resumed?.generation ?? 1, expel: () => this.leave() },
      resume: resumed && { cursor: resumed.cursor, subscriptions: resumed.record.subscriptions },
    })
    if (admission.gap) outlet.gap(admission.gap)
    // A cursor before anything else was heard: without one the stock client cannot come back to its place.
    if (!resumed) outlet.bookmark(this.connection.session.positionCursor)
    this.transport = socket.conn.transport.name
    deps.metrics.connections.inc({ transport: this.transport })
    deps.metrics.connectionsTotal.inc()
    this.subscribed()
    this.watchExpiry()
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
    this.socket.disconnect(true)
  }

  /** Closed so that the client reconnects: to another worker, or as whoever resumed its session. */
  leave(): void {
    this.socket.conn.close()
  }

  left(reason: string): void {
    clearTimeout(this.expiry)
    this.deps.operations.disconnect(this.connection)
    this.deps.buckets.forget(this.id)
    this.deps.metrics.connections.dec({ transport: this.transport })
    const { subject, project } = this.identity()
    this.deps.onDisconnect?.({ id: this.id, subject, project, reason })
  }

  private watchExpiry(): void {
    clearTimeout(this.expiry)
    const { expiresAt } = this.identity()
    if (expiresAt === undefined) return
    const ms = expiresAt - Date.now()
    this.expiry = setTimeout(() => (ms > LONGEST_TIMER_MS ? this.watchExpiry() : this.end(new HubError('AUTH_TOKEN_EXPIRED'))), Math.max(0, Math.min(ms, LONGEST_TIMER_MS)))
  }
}
