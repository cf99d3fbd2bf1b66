/**
 * Plain WebSockets, for clients without Socket.IO: same port, same credentials, same limits, in the message formats of their own.
 *
 *   /ws                        topics          (?dialect=autosdlc, ?dialect=mcp: two others)
 *   /ws/tasks/:taskId          one task
 *   /ws/:project               one project
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket as TcpSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HubError } from '@hubbub/protocol'
import type { WebSocket } from 'ws'
import type { Authenticator } from '../../access/authenticator.js'
import { credentialFromRequest } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import type { Compression } from '../../fanout/compression.js'
import type { Follow } from '../../operations/operations.js'
import type { Store } from '../../store/port.js'
import type { Gatekeeper } from '../gatekeeper.js'
import { BoundedWebSocketServer, messageLimit } from '../limits.js'
import { atMost } from '../patience.js'
import type { MessageDeps } from '../messages.js'
import type { Dialect, Opening } from './dialect.js'
import { createDialects } from './dialects/all.js'
import { Lobby } from './lobby.js'
import { Peer, type PeerDeps } from './peer.js'
import { followIn } from './query.js'
import { routeOf, type Route } from './routes.js'

export interface WebSocketGatewayDeps extends Omit<PeerDeps, 'messages' | 'authenticator'> {
  authenticator: Authenticator
  gate: Pick<Gatekeeper, 'authenticate' | 'seat'>
  store: Pick<Store, 'sessions'>
  partitions: number
  compression: Compression
  vitals: MessageDeps['vitals']
  broadcast: MessageDeps['broadcast']
}

export interface WebSocketGateway {
  /** Whether the path is one of its own. */
  takes(request: IncomingMessage): boolean
  /** Open connections, those not let in yet included. */
  readonly size: number
  /** Rejects with `HubError`, and the connection was not upgraded: the caller answers with a status. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>
  /** Resolves when its connections are gone, and so told of. */
  close(): Promise<void>
}

/** Peers answer the end of their connection within it, ms. */
const CLOSE_MS = 1000

export function createWebSocketGateway(deps: WebSocketGatewayDeps): WebSocketGateway {
  const { settings, gate, operations, guests } = deps
  const server = new BoundedWebSocketServer({ noServer: true, clientTracking: true, maxPayload: messageLimit(settings), perMessageDeflate: false })
  const dialects = createDialects({ ...deps, sessions: deps.store.sessions, history: (identity, input, signal) => operations.history(identity, input, signal) })
  // A peer's messages are counted as they come, whatever they turn out to be.
  const messages: MessageDeps = { ...deps, take: () => 0 }
  const peerDeps: PeerDeps = { ...deps, messages }

  const openingOf = (route: Route, request: IncomingMessage, identity: Identity, auth?: unknown): Opening => ({
    ...(route.name !== undefined && { name: route.name }), query: new URL(request.url ?? '/', 'http://hub').searchParams, identity, ...(auth !== undefined && { auth }),
  })
  const placeOf = async (dialect: Dialect, opening: Opening): Promise<Follow> =>
    await operations.follow(opening.identity, { mail: true, ...(await (dialect.begin ? dialect.begin(opening) : followIn(opening.query))) })
  /** Synchronous. Undefined: it was refused, or its client is gone. */
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): WebSocket | undefined => {
    let upgraded: WebSocket | undefined
    server.handleUpgrade(request, socket, head, (opened) => (upgraded = guarded(opened)))
    return upgraded
  }
  /** Upgrades under way: they count from their arrival, or as many as ask while the store is slow would be let in. */
  let arriving = 0
  const projectOf = (route: Route, asked: string | undefined) => (route.kind === 'project' ? route.name : asked)

  return {
    takes: (request) => routeOf(request, settings.wsPath) !== undefined,
    get size() {
      return server.clients.size + arriving
    },
    async handleUpgrade(request, socket, head) {
      const route = routeOf(request, settings.wsPath)
      if (!route) throw new HubError('NOT_FOUND')
      const dialect = dialects.get(route)
      if (!dialect) throw new HubError('NOT_FOUND', 'There is no such dialect.')
      const id = randomUUID()
      const admit = async (presented: { credential?: Parameters<Authenticator['authenticate']>[0]; project?: string; auth?: unknown }) => {
        const identity = await gate.authenticate(request, presented.credential, projectOf(route, presented.project))
        const leave = gate.seat(identity)
        // Gone meanwhile: nobody would tell of it any more.
        if (socket.closed) leave()
        else socket.once('close', leave)
        const opening = openingOf(route, request, identity, presented.auth)
        return { opening, follow: await placeOf(dialect, opening) }
      }
      if (dialect.entrance) {
        const opened = upgrade(request, socket, head)
        return opened && new Lobby({ id, socket: opened, dialect, request, settings, metrics: deps.metrics, admit, enter: (arrival) => new Peer({ id, socket: opened, tcp: socket as TcpSocket, dialect, ...arrival }, peerDeps) }).begin()
      }
      const presented = credentialFromRequest(request)
      arriving++
      const arrival = await admit(presented).finally(() => arriving--)
      // Synchronous from the upgrade on: no message of the client comes before somebody listens.
      server.handleUpgrade(request, socket, head, (opened) => void new Peer({ id, socket: guarded(opened), tcp: socket as TcpSocket, dialect, ...arrival }, peerDeps))
    },
    async close() {
      const gone = [...server.clients].map((client) => new Promise((resolve) => client.once('close', resolve)))
      for (const guest of [...guests]) if (guest instanceof Peer) guest.leave('server shutting down')
      // Those in the lobby.
      for (const client of server.clients) if (client.readyState === client.OPEN) client.close(1012)
      server.close()
      await atMost(Math.min(settings.drainMs / 5, CLOSE_MS), Promise.all(gone))
      // Whoever neither reads nor answers: its socket is ended as it is, and that is told of.
      for (const client of server.clients) client.terminate()
      await atMost(CLOSE_MS, Promise.all(gone))
    },
  }
}

/** A protocol fault (too large, invalid UTF-8, a compressed frame) closes the connection with its code; without a listener it would end the process. */
function guarded(socket: WebSocket): WebSocket {
  socket.on('error', () => undefined)
  return socket
}
