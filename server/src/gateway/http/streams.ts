/**
 * Answers that go on: the streams of server-sent events that are open on this worker, whatever they carry. Each counts as a connection:
 * it has a limit, is told of where connections are told of, and ends with its credential or when the worker stops.
 */
import { randomBytes } from 'node:crypto'
import { HubError, type Draining, type FailureCode } from '@hubbub/protocol'
import type { Response } from 'express'
import type { Authenticator } from '../../access/authenticator.js'
import type { Identity } from '../../access/identity.js'
import type { Metrics } from '../../observe/metrics.js'
import type { Attendance, ClosedBecause } from '../../operations/attendance.js'
import type { Connection } from '../../operations/connection.js'
import type { Operations } from '../../operations/operations.js'
import type { Settings } from '../../settings/table.js'
import { nextDrain } from '../drain.js'
import type { Departing, Drainage } from '../drainage.js'
import { Expiry } from '../expiry.js'
import type { Gatekeeper } from '../gatekeeper.js'
import { atMost } from '../patience.js'
import { checkStillIn } from './door.js'
import { GzipStream } from './stream-gzip.js'

export interface StreamsDeps {
  operations: Pick<Operations, 'disconnect'> & { readonly presence: Pick<Operations['presence'], 'follow'> }
  attendance: Pick<Attendance, 'opened' | 'closed'>
  authenticator: Pick<Authenticator, 'isRevoked' | 'onRevocation'>
  settings: Pick<Settings, 'maxConnections' | 'sseHeartbeatMs' | 'compressBytes' | 'drainMs'>
  metrics: Metrics
  gate: Pick<Gatekeeper, 'seat'>
  /** Absent: it does not stop before `close`. */
  drainage?: Pick<Drainage, 'refuses'>
  /** Connections of this worker that are no streams. */
  others: () => number
  onConnect?: (client: { id: string; subject: string; project: string }) => void
  onDisconnect?: (client: { id: string; subject: string; project: string; reason: string }) => void
}

export interface StreamOptions {
  /** Its client takes gzip. */
  gzip?: boolean
  /** What a client is told before the hub ends its stream. */
  farewell: (failure: HubError) => Buffer
  /** And when the worker stops, a while before; absent: its format has no word for it. */
  draining?: (notice: Draining) => Buffer
}

/** Below this a stream counts as drained; bytes. */
const LOW_BYTES = 64 * 1024
/** Heartbeats between which the client took nothing of what waits for it. */
const MOST_STALLS = 4
/** What is written last has so long to be taken, ms. */
const LAST_MS = 2000
const HEARTBEAT = Buffer.from(':\n\n')

const REASONS: { [C in FailureCode]?: ClosedBecause } = { AUTH_TOKEN_EXPIRED: 'credential expired', AUTH_REVOKED: 'revoked', UNAVAILABLE: 'server shutting down' }

const STOPPING = 'This worker is stopping.'

export class Streams implements Iterable<Departing> {
  private readonly open = new Set<EventStream>()
  private readonly beat: NodeJS.Timeout
  private readonly stopWatching: () => void
  private stopping = false

  constructor(private readonly deps: StreamsDeps) {
    this.beat = setInterval(() => this.each((stream) => stream.beat()), deps.settings.sseHeartbeatMs)
    this.beat.unref()
    this.stopWatching = deps.authenticator.onRevocation(() => this.each((stream) => stream.checkRevoked()))
  }

  [Symbol.iterator](): Iterator<EventStream> {
    return this.open[Symbol.iterator]()
  }

  get size(): number {
    return this.open.size
  }

  /** The counts of others with the streams added. These are opened for what they subscribe to: all of them are active. */
  countWith(others: { total: number; active: number }, project?: string): { total: number; active: number } {
    const own = project === undefined ? this.open.size : [...this.open].filter(({ identity }) => identity.project === project).length
    return { total: others.total + own, active: others.active + own }
  }

  /** Before anything is prepared for one. Throws CONNECTION_LIMIT, UNAVAILABLE. */
  requireRoom(): void {
    const { maxConnections } = this.deps.settings
    if (this.stopping || this.deps.drainage?.refuses) throw new HubError('UNAVAILABLE', STOPPING)
    if (this.deps.others() + this.open.size >= maxConnections) {
      throw new HubError('CONNECTION_LIMIT', undefined, { limit: maxConnections, unit: 'connections', setting: 'HUBBUB_MAX_CONNECTIONS' })
    }
  }

  /** Sends the headers. Throws as `requireRoom` does, or because the credential ended meanwhile. */
  begin(identity: Identity, response: Response, options: StreamOptions): EventStream {
    this.requireRoom()
    checkStillIn(this.deps.authenticator, identity)
    const leave = this.deps.gate.seat(identity)
    const stream = new EventStream(identity, response, options, this.deps)
    this.open.add(stream)
    response.once('close', () => {
      this.open.delete(stream)
      leave()
      stream.left()
    })
    return stream
  }

  /** Each client is told, so that it comes back to another worker. Resolves when they are gone, or the time for it is up. */
  async close(): Promise<void> {
    this.stopping = true
    this.stopWatching()
    clearInterval(this.beat)
    await atMost(Math.min(this.deps.settings.drainMs / 5, LAST_MS), Promise.all([...this.open].map((stream) => stream.depart())))
    this.each((stream) => stream.drop())
  }

  private each(act: (stream: EventStream) => void): void {
    for (const stream of [...this.open]) act(stream)
  }
}

export class EventStream implements Departing {
  readonly id = `sse-${randomBytes(12).toString('base64url')}`
  private readonly gzip?: GzipStream
  private connection?: Connection
  private readonly expiry = new Expiry(() => void this.end(new HubError('AUTH_TOKEN_EXPIRED')))
  private ending?: ClosedBecause
  private stalls = 0
  /** Bytes: handed to the response; and taken by the network, as of the last heartbeat. */
  private written = 0
  private taken = 0

  constructor(readonly identity: Identity, private readonly response: Response, private readonly options: StreamOptions, private readonly deps: StreamsDeps) {
    const { metrics, attendance, settings } = deps
    if (options.gzip) this.gzip = new GzipStream(settings.compressBytes)
    response.vary('Accept-Encoding')
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no', ...(options.gzip && { 'Content-Encoding': 'gzip' }) })
    response.flushHeaders()
    metrics.connections.inc({ transport: 'sse' })
    metrics.connectionsTotal.inc()
    attendance.opened(identity, this.id)
    deps.onConnect?.(this.client())
    this.expiry.watch(identity.expiresAt)
  }

  get isOpen(): boolean {
    return !this.response.writableEnded && !this.response.destroyed
  }

  get isHere(): boolean {
    return this.isOpen
  }

  warn(notice: Draining): void {
    this.ending ??= 'server shutting down'
    if (this.options.draining) this.write(this.options.draining(notice))
  }

  depart(): Promise<void> {
    return this.isOpen ? this.end(new HubError('UNAVAILABLE', STOPPING)) : Promise.resolve()
  }

  /** Whose events it carries from now on. */
  carry(connection: Connection): void {
    this.release()
    this.connection = connection
    if (!this.isOpen) return this.release()
    this.deps.operations.presence.follow(connection)
  }

  write(bytes: Buffer): void {
    if (!this.isOpen) return
    this.deps.metrics.writes.inc({ way: 'buffer' })
    const piece = this.gzip ? this.gzip.piece(bytes) : bytes
    this.written += piece.length
    this.response.write(piece)
  }

  /** Bytes that the socket has not taken. */
  waiting(): number {
    return this.response.writableLength
  }

  /** Resolves when nearly nothing waits any more, or the client is gone. */
  async drained(): Promise<void> {
    while (this.isOpen && this.waiting() >= LOW_BYTES) await nextDrain(this.response)
  }

  /** With a failure: its client is told why. Resolves when all was handed to the network, or the client is gone. */
  end(failure?: HubError): Promise<void> {
    if (failure) {
      this.deps.metrics.rejections.inc({ code: failure.code })
      this.ending ??= REASONS[failure.code]
      this.write(this.options.farewell(failure))
    }
    this.release()
    if (this.isOpen) this.response.end(this.gzip?.end())
    return new Promise((resolve) => {
      if (this.response.writableFinished || this.response.destroyed) return resolve()
      this.response.once('finish', () => resolve())
      this.response.once('close', () => resolve())
    })
  }

  drop(): void {
    this.response.destroy()
  }

  beat(): void {
    const waiting = this.waiting()
    // Nothing is added for whoever takes nothing; a peer that is gone without a word would hold its place for a quarter of an hour.
    const taken = this.written - waiting
    this.stalls = waiting > 0 && taken <= this.taken ? this.stalls + 1 : 0
    this.taken = taken
    if (this.stalls >= MOST_STALLS) this.drop()
    else if (waiting === 0) this.write(HEARTBEAT)
  }

  checkRevoked(): void {
    if (this.deps.authenticator.isRevoked(this.identity)) void this.end(new HubError('AUTH_REVOKED'))
  }

  /** Once, when its response is closed. */
  left(): void {
    this.expiry.stop()
    this.release()
    const reason = this.ending ?? 'transport closed'
    this.deps.attendance.closed(this.identity, this.id, reason)
    this.deps.metrics.connections.dec({ transport: 'sse' })
    this.deps.onDisconnect?.({ ...this.client(), reason })
  }

  private release(): void {
    if (this.connection) this.deps.operations.disconnect(this.connection)
    this.connection = undefined
  }

  private client(): { id: string; subject: string; project: string } {
    return { id: this.id, subject: this.identity.subject, project: this.identity.project }
  }
}
