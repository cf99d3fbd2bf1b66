/** One client of a plain WebSocket: its socket, its dialect's conversation, its heartbeat. */
import { HubError, type CommandCall, type Draining, type Failure, type Signal } from '@hubbub/protocol'
import type { Socket as TcpSocket } from 'node:net'
import type { RawData, WebSocket } from 'ws'
import type { ClosedBecause } from '../../operations/attendance.js'
import { roomsOfPatterns, type Follow } from '../../operations/operations.js'
import type { Door } from '../../operations/presence.js'
import type { Settings } from '../../settings/table.js'
import { hubErrorOf } from '../../store/failure.js'
import { Ear } from '../ear.js'
import { Guest, type GuestDeps } from '../guest.js'
import type { Guests } from '../guests.js'
import { handleMessage, type MessageDeps } from '../messages.js'
import { endingOf, shortened } from './closing.js'
import type { Conversation, Dialect, Opening, Speaker } from './dialect.js'
import { parseMessage } from './parse.js'
import { WebSocketOutlet } from './outlet.js'
import { Unfinished } from './unfinished.js'

export interface PeerDeps extends GuestDeps {
  guests: Guests
  messages: MessageDeps
}

/** Close codes: who goes away; and a service that restarts. After either a client should come back. */
const AWAY = 1001
const RESTART = 1012
/** A peer that does not answer a close is cut off, ms. */
const CLOSE_MS = 5000

export interface Arrival {
  id: string
  socket: WebSocket
  tcp: TcpSocket
  dialect: Dialect
  opening: Opening
  follow: Follow
}

/** Messages of one client that are worked on at a time. */
const MOST_PENDING = 64

export class Peer extends Guest implements Speaker {
  private readonly outlet: WebSocketOutlet
  private readonly conversation: Conversation
  private rooms = new Set<string>()
  private readonly beat: NodeJS.Timeout
  private readonly ear: Ear<[RawData, boolean]>
  private readonly unfinished: Unfinished
  private heardAt = performance.now()
  /** Bytes that the client had taken at the last look. */
  private taken = 0
  private silent = false
  private dismissed = false
  private marks = 0

  constructor(private readonly arrival: Arrival, private readonly peerDeps: PeerDeps) {
    const { id, socket, tcp, dialect, opening, follow } = arrival
    const outlet = new WebSocketOutlet(dialect, { socket, tcp, metrics: peerDeps.metrics, encoding: dialect.encodingFor?.(opening) ?? dialect.encoding })
    super(id, 'ws', peerDeps, () => follow(outlet, { session: id, wire: 'websocket' }))
    this.outlet = outlet
    this.conversation = dialect.converse(this, opening)
    outlet.onWrite = this.conversation.wrote?.bind(this.conversation)
    this.conversation.welcome?.()
    outlet.begin()
    this.beat = setInterval(() => this.checkPulse(), dialect.heartbeat.pingMs)
    this.beat.unref()
    socket.on('message', () => (this.heardAt = performance.now()))
    this.unfinished = new Unfinished(socket)
    this.ear = new Ear({ source: socket, outlet, slowBytes: peerDeps.settings.slowBytes, mostPending: MOST_PENDING }, ([data, isBinary]) => this.take(data, isBinary))
    socket.on('message', (data, isBinary) => this.ear.take([data, isBinary]))
    socket.on('pong', () => (this.heardAt = performance.now()))
    socket.on('ping', () => (this.heardAt = performance.now()))
    socket.once('close', (code) => this.closed(code))
    this.begin(false)
    peerDeps.guests.add(this)
  }

  get settings(): Settings {
    return this.deps.settings
  }

  send(message: object): void {
    this.outlet.send(message)
  }

  request<T extends object>(name: string, input: unknown, answered?: (result: T) => void): Promise<T> {
    if (name === 'command.handle') return Promise.reject(new HubError('INVALID_MESSAGE', 'Commands are carried out over Socket.IO.'))
    const done = this.asks()
    return new Promise((resolve, reject) => {
      handleMessage(this.peerDeps.messages, this, name, [input], (answer) => {
        done()
        if (!answer.ok) return reject(new HubError(answer.error.code, answer.error.message, answer.error.details))
        const { ok: _ok, ...rest } = answer
        const result = rest as T
        answered?.(result)
        resolve(result)
      })
    })
  }

  subscriptions(): readonly { readonly id: string; readonly topics: readonly string[] }[] {
    return this.connection.chosen
  }

  /** Nobody asks: `command.handle` is refused on this wire. */
  ask(_call: CommandCall): Promise<unknown> {
    return Promise.reject(new HubError('COMMAND_TIMEOUT', 'This connection carries out no commands.'))
  }

  cursor(): string {
    return this.connection.session.positionCursor
  }

  async drained(): Promise<void> {
    await this.outlet.drained()
    if (!this.isOpen) throw new HubError('UNAVAILABLE', 'The connection is gone.')
  }

  /** A client's library answers pings by itself, in the order of what it receives. */
  received(): Promise<void> {
    const { socket } = this.arrival
    const mark = Buffer.from(`${++this.marks}`)
    return new Promise((resolve) => {
      const answered = (data: Buffer) => {
        if (!data.equals(mark)) return
        socket.off('pong', answered)
        resolve()
      }
      socket.on('pong', answered)
      socket.ping(mark)
    })
  }

  close(code: number, reason: string): void {
    const { socket } = this.arrival
    if (socket.readyState === socket.CLOSED) return
    socket.close(code, shortened(reason))
    setTimeout(() => socket.terminate(), CLOSE_MS).unref()
  }

  signal(signal: Signal): void {
    this.outlet.send(this.arrival.dialect.signal(signal))
  }

  complain(error: Failure): void {
    this.outlet.send(this.arrival.dialect.failure(error))
  }

  protected tellDraining(notice: Draining): void {
    this.outlet.send(this.arrival.dialect.draining?.(notice))
  }

  readonly door: Door = (room, inside) => {
    if (inside && this.isOpen) this.peerDeps.guests.join(this, room)
    else if (!this.rooms.has(room)) this.peerDeps.guests.part(this, room)
  }

  protected get isOpen(): boolean {
    return this.arrival.socket.readyState === this.arrival.socket.OPEN
  }

  protected followRooms(): void {
    const { guests } = this.peerDeps
    const wanted = new Set(this.connection.subscriptions.flatMap(({ topics }) => roomsOfPatterns(this.identity().project, topics)))
    for (const room of this.rooms) if (!wanted.has(room)) guests.part(this, room)
    for (const room of wanted) guests.join(this, room)
    this.rooms = wanted
  }

  protected dismiss(reason: HubError): void {
    this.dismissed = true
    const ending = endingOf(this.arrival.dialect, reason.toJSON())
    this.close(ending.code, ending.reason)
  }

  protected release(because: ClosedBecause): void {
    const { dialect } = this.arrival
    this.outlet.send(dialect.farewell?.(because))
    this.close(dialect.awayCode ?? (because === 'server shutting down' ? RESTART : AWAY), `${because.charAt(0).toUpperCase()}${because.slice(1)}`)
  }

  private async take(data: RawData, isBinary: boolean): Promise<void> {
    // Its credential ended, or it was revoked: until it answers the close frame ws goes on reading.
    if (this.dismissed) return
    this.heard()
    let message: unknown
    try {
      this.limitRate()
      message = parseMessage(data, isBinary)
      await this.conversation.hear(message)
    } catch (error) {
      this.refuse(error, message)
    }
  }

  private limitRate(): void {
    const { buckets, settings } = this.deps
    const retryAfterMs = buckets.take(this.id)
    if (retryAfterMs === 0) return
    throw new HubError('RATE_LIMITED', undefined, { scope: 'client', retryAfterMs, limit: settings.messageRate, unit: 'messages/s', setting: 'HUBBUB_MESSAGE_RATE' })
  }

  private refuse(error: unknown, message: unknown): void {
    const failure = hubErrorOf(error)
    if (failure !== error) this.deps.log.error({ err: error, ...failure.details }, 'message failed')
    this.outlet.send(this.arrival.dialect.failure(failure.toJSON(), message))
  }

  /** A client's library answers the protocol's ping by itself; one that does not may answer the dialect's. */
  private checkPulse(): void {
    const { socket, dialect } = this.arrival
    const { requestMs } = this.settings
    const taken = this.outlet.taken()
    // Of one that is not read for now, that it takes what it is given is the sign of life.
    if (this.ear.isHeld && taken > this.taken) this.heardAt = performance.now()
    this.taken = taken
    if (this.unfinished.age() > requestMs) return this.end(new HubError('TIMEOUT', `A message was begun and not finished within ${requestMs} ms.`, { limit: requestMs, unit: 'ms', setting: 'HUBBUB_REQUEST_MS' }))
    if (performance.now() - this.heardAt > dialect.heartbeat.silenceMs) {
      this.silent = true
      return socket.terminate()
    }
    socket.ping()
    this.outlet.send(dialect.ping?.())
  }

  private closed(code: number): void {
    clearInterval(this.beat)
    this.ear.close()
    this.peerDeps.guests.remove(this)
    for (const room of this.rooms) this.peerDeps.guests.part(this, room)
    this.conversation.end?.()
    const because: ClosedBecause = this.silent ? 'ping timeout' : code === 1000 || code === 1001 ? 'client disconnected' : 'transport closed'
    this.left(`closed with ${code}`, because)
  }
}
