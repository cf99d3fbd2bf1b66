/**
 * The Socket.IO gateway: admits connections, gives each its place in the journal, passes messages on, and ends connections
 * whose credential ended. It translates; the operations decide.
 */
import { Server as Engine, type ServerOptions } from 'engine.io'
import { partitionOf, type Signal } from '@hubbub/protocol'
import { Server, type Socket } from 'socket.io'
import type { Authenticator } from '../../access/authenticator.js'
import { credentialFromAuth, credentialFromRequest, presentedFirst } from '../../access/credentials.js'
import type { Compression } from '../../fanout/compression.js'
import type { Recorder } from '../../operations/recorder.js'
import type { Settings } from '../../settings/table.js'
import { hubErrorOf } from '../../store/failure.js'
import type { Gatekeeper } from '../gatekeeper.js'
import type { GuestDeps } from '../guest.js'
import type { Guests } from '../guests.js'
import { BoundedWebSocketServer, messageLimit } from '../limits.js'
import { handleMessage, type MessageDeps, type Reply } from '../messages.js'
import { atMost } from '../patience.js'
import { createHubAdapter } from './adapter.js'
import { admit, type Admission } from './admission.js'
import { Member } from './member.js'
import type { Recovery } from './recovery.js'
import { wirePeers } from './wire-peers.js'
import { socketioEncoding } from './wire.js'

export interface SocketGatewayDeps extends GuestDeps {
  authenticator: Authenticator
  recorder: Recorder
  recovery: Recovery
  guests: Guests
  gate: Pick<Gatekeeper, 'authenticate' | 'seat'>
  partitions: number
  /** Shared by all gateways: an event is compressed once. */
  compression: Compression
  vitals: MessageDeps['vitals']
}

export interface SocketGateway {
  /** Takes requests and upgrades of `/socket.io/`. */
  readonly engine: Engine
  readonly io: Server
  /** To everybody in the rooms, on every worker, by whatever wire. */
  broadcast: (rooms: string[], signal: Signal) => void
  close(): Promise<void>
}

/** ms */
const ADAPTER_MS = 1000
/** Between workers: a session was resumed here, its older holder may let go. */
const TAKEN = 'session.taken'
/** Between workers: a signal, for guests that no room of Socket.IO reaches. */
const SIGNAL = 'signal'

export async function createSocketGateway(deps: SocketGatewayDeps): Promise<SocketGateway> {
  const { settings, metrics, log, recorder, recovery, guests } = deps
  const adapter = await createHubAdapter(settings, log, (id, cursor) => recovery.restore(id, cursor))
  const engine = openEngine(settings)
  const io = new Server({
    adapter: adapter.constructor,
    connectTimeout: settings.connectTimeoutMs,
    connectionStateRecovery: { skipMiddlewares: false },
    serveClient: false,
  })
  io.bind(engine)
  io.on(TAKEN, (id: string, generation: number) => recorder.taken(id, generation))

  io.on(SIGNAL, (rooms: string[], signal: Signal) => guests.deliver(rooms, signal))
  const broadcast = (rooms: string[], signal: Signal) => {
    io.to(rooms).emit('signal', signal)
    guests.deliver(rooms, signal)
    io.serverSideEmit(SIGNAL, rooms, signal)
  }
  deps.operations.presence.attach(broadcast)
  const members = new Set<Member>()
  wirePeers(io, deps.operations, () => guests)
  const messageDeps: MessageDeps = { ...deps, take: (client) => deps.buckets.take(client), broadcast }
  const plain = socketioEncoding(metrics)
  const compressed = socketioEncoding(metrics, deps.compression)

  const taken = admitOnce(io, deps)
  io.on('connection', (socket) => {
    const admission = socket.data as Admission
    if (admission.resumed) {
      const { id, generation } = admission.resumed
      recorder.taken(id, generation)
      io.serverSideEmit(TAKEN, id, generation)
    }
    const member = new Member(socket, admission, takesCompressed(socket) ? compressed : plain, deps, (from, [name, ...args]) => hear(messageDeps, from, name, args))
    members.add(member)
    // Not `on`: every name is a message, and none may reach a listener twice.
    socket.use((packet) => member.take(packet))
    socket.once('disconnect', (reason) => {
      taken.delete(socket.conn)
      admission.leave?.()
      members.delete(member)
      guests.remove(member)
      member.disconnected(reason)
    })
    guests.add(member)
  })
  return {
    engine,
    io,
    broadcast,
    async close() {
      for (const member of members) member.leave('server shutting down')
      // The adapter takes its leave of Redis, which may not answer; its connections are ended anyway, and then the engine's.
      await atMost(ADAPTER_MS, io.close())
      adapter.close()
      engine.close()
    },
  }
}

function openEngine(settings: Settings): Engine {
  return new Engine({
    pingInterval: settings.pingIntervalMs,
    pingTimeout: settings.pingTimeoutMs,
    maxHttpBufferSize: messageLimit(settings),
    perMessageDeflate: false,
    wsEngine: BoundedWebSocketServer,
    cors: corsOf(settings),
  })
}

/** With `*` no page may use a visitor's cookie: as on HTTP. */
function corsOf({ corsOrigins }: Settings): ServerOptions['cors'] {
  if (corsOrigins === '') return undefined
  return corsOrigins === '*' ? { origin: '*' } : { origin: corsOrigins.split(',').map((origin) => origin.trim()), credentials: true }
}

/**
 * Answers the connections that hold a member or are on their way to one. Socket.IO itself knows only those that arrived: a
 * client that asks again before it was answered would become several members, and none of them count against a limit.
 */
function admitOnce(io: Server, deps: SocketGatewayDeps): WeakSet<object> {
  const taken = new WeakSet<object>()
  io.use((socket, next) => {
    const { conn } = socket
    if (taken.has(conn)) return conn.close()
    taken.add(conn)
    admitSocket(deps, socket).then(
      () => next(),
      (error: unknown) => {
        taken.delete(conn)
        next(refuse(socket, error, deps))
      },
    )
  })
  return taken
}

/** Bad credentials in header, query or cookie were refused before the upgrade; here the `auth` payload is looked at, too. */
async function admitSocket(deps: SocketGatewayDeps, socket: Socket): Promise<void> {
  const { auth } = socket.handshake
  const presented = presentedFirst(credentialFromAuth(auth), credentialFromRequest(socket.request))
  const identity = await deps.gate.authenticate(socket.request, presented.credential, presented.project)
  const leave = deps.gate.seat(identity)
  socket.conn.once('close', leave)
  // Gone meanwhile: nobody would tell of it any more.
  if (socket.conn.readyState === 'closed') leave()
  try {
    const admission = await admit(socket, identity, { recovery: deps.recovery, operations: deps.operations, partition: partitionOf(identity.project, deps.partitions) })
    socket.data = { ...admission, leave } satisfies Admission
  } catch (error) {
    leave()
    throw error
  }
}

/**
 * As `connect_error` with `data`: the failure that every gateway shows. A stock client takes that as final; so where trying
 * again may help, its connection is closed instead, and it comes back by itself.
 */
function refuse(socket: Socket, error: unknown, deps: SocketGatewayDeps): Error {
  const failure = hubErrorOf(error)
  if (failure !== error) deps.log.error({ err: error, ...failure.details }, 'connection failed')
  deps.metrics.rejections.inc({ code: failure.code })
  if (failure.retryable) socket.conn.close()
  return Object.assign(new Error(failure.message), { data: failure.toJSON() })
}

/** `auth: { compress: 'gzip' }` of the handshake. */
function takesCompressed({ handshake }: Socket): boolean {
  return (handshake.auth as { compress?: unknown }).compress === 'gzip'
}

/** Their answers may be large: of these a client has few under way. Publishes have no such bound; each is small, and its rate has one. */
const READING: ReadonlySet<unknown> = new Set(['subscribe', 'snapshot', 'presence'])

/** `args` as Socket.IO gives them: the acknowledgement last, where the client wants one. Resolves when the next message may be heard. */
function hear(deps: MessageDeps, member: Member, name: unknown, args: unknown[]): Promise<void> {
  const ack = typeof args[args.length - 1] === 'function' ? (args.pop() as Reply) : undefined
  const answered = member.asks()
  return new Promise((resolve) => {
    const reply: Reply = (answer) => {
      answered()
      if (ack) ack(answer)
      else if (!answer.ok) member.complain(answer.error)
      resolve()
    }
    handleMessage(deps, member, name, args, reply)
    if (!READING.has(name)) resolve()
  })
}
