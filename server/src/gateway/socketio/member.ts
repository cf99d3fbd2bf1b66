/** One client of Socket.IO: its socket, its rooms, its acknowledgements. */
import { HubError, type CommandCall, type Draining, type Failure, type Signal } from '@hubbub/protocol'
import type { Socket } from 'socket.io'
import type { Encoding } from '../../fanout/entry.js'
import type { ClosedBecause } from '../../operations/attendance.js'
import { roomsOfPatterns } from '../../operations/operations.js'
import type { Door } from '../../operations/presence.js'
import { Ear, type Source } from '../ear.js'
import { Guest, type GuestDeps } from '../guest.js'
import type { Admission } from './admission.js'
import { SocketOutlet, type EngineConnection } from './wire.js'

/** Ends that the hub did not bring about, in Socket.IO's words. All others are the transport's. */
const REASONS: Readonly<Record<string, ClosedBecause>> = {
  'client namespace disconnect': 'client disconnected',
  'ping timeout': 'ping timeout',
  'server shutting down': 'server shutting down',
}

/** Messages under way that ask for much. */
const MOST_PENDING = 16
/** Messages of a client that does not take its answers. */
const MOST_UNHEARD = 1000

export class Member extends Guest {
  private rooms = new Set<string>()

  /** Hears its messages no faster than it takes its answers. */
  readonly ear: Ear<unknown[]>

  /** @param hear resolves when another message may be heard; never rejects */
  constructor(private readonly socket: Socket, admission: Admission, encoding: Encoding, deps: GuestDeps, hear: (member: Member, packet: unknown[]) => Promise<void>) {
    const outlet = new SocketOutlet(encoding, socket.conn as unknown as EngineConnection, deps.metrics)
    const { resumed, sessionId, mail } = admission
    super(socket.id, socket.conn.transport.name, deps, (guest) =>
      admission.admit(outlet, {
        recovery: { id: sessionId, generation: resumed?.generation ?? 1, expel: () => guest.leave('taken over') },
        resume: resumed && { cursor: resumed.cursor, subscriptions: resumed.record.subscriptions },
        mail,
        who: { session: sessionId, connection: socket.id, wire: 'socketio' },
      }),
    )
    const options = { source: sourceOf(socket), outlet, slowBytes: deps.settings.slowBytes, mostPending: MOST_PENDING }
    this.ear = new Ear(options, (packet) => hear(this, packet))
    const { positionCursor } = this.connection.session
    for (const gap of [admission.gap, mail?.gap]) {
      if (!gap) continue
      outlet.gap(gap, positionCursor)
      this.connection.session.chronicle.told(gap)
    }
    // A cursor before anything else was heard: without one the stock client cannot come back to its place.
    if (!resumed) outlet.bookmark(positionCursor)
    this.begin(resumed !== undefined)
  }

  readonly door: Door = (room, inside) => {
    if (!inside) void this.socket.leave(room)
    else if (this.socket.connected) void this.socket.join(room)
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

  complain(error: Failure): void {
    this.socket.emit('hub.error', error)
  }

  protected tellDraining(notice: Draining): void {
    this.socket.emit('hub.draining', notice)
  }

  /** More than it may have waiting while it does not read: over long-polling nothing can be left unread. */
  take(packet: unknown[]): void {
    this.heard()
    if (this.ear.waiting < MOST_UNHEARD) this.ear.take(packet)
    else this.leave('transport closed')
  }

  disconnected(reason: string): void {
    this.ear.close()
    this.left(reason, REASONS[reason] ?? 'transport closed')
  }

  protected get isOpen(): boolean {
    return this.socket.connected
  }

  protected followRooms(): void {
    const wanted = new Set(this.connection.subscriptions.flatMap((subscription) => roomsOfPatterns(this.identity().project, subscription.topics)))
    for (const room of this.rooms) if (!wanted.has(room)) void this.socket.leave(room)
    const fresh = [...wanted].filter((room) => !this.rooms.has(room))
    if (fresh.length > 0) void this.socket.join(fresh)
    this.rooms = wanted
  }

  protected dismiss(): void {
    this.socket.disconnect(true)
  }

  protected release(): void {
    this.socket.conn.close()
  }
}

/** The WebSocket beneath, whichever it is by then; long-polling has nothing to hold. */
function sourceOf(socket: Socket): Source {
  const beneath = () => (socket.conn.transport as unknown as { socket?: Partial<Source> }).socket
  return { pause: () => beneath()?.pause?.(), resume: () => beneath()?.resume?.() }
}
