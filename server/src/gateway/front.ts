/**
 * The one listening server: requests to the express app, `/socket.io/` and upgrades to the engine. What can be refused is
 * refused here, before the upgrade, with a status: a middleware of the engine would reach a WebSocket client as a hang-up.
 */
import { createServer, STATUS_CODES, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HubError, type Failure } from '@hubbub/protocol'
import type { Server as Engine } from 'engine.io'
import { credentialFromRequest } from '../access/credentials.js'
import type { Metrics } from '../observe/metrics.js'
import type { Settings } from '../settings/table.js'
import { hubErrorOf } from '../store/failure.js'
import { siteOf } from './addresses.js'
import type { Drainage } from './drainage.js'
import type { Gatekeeper, Leave } from './gatekeeper.js'
import { secure, securityHeaders } from './http/headers.js'
import { dropForeignCookie, originAllowed } from './origin.js'
import { atMost } from './patience.js'
import { PendingSockets } from './pending.js'
import type { Repeats } from './socketio/repeats.js'
import type { WebSocketGateway } from './websocket/gateway.js'

const SOCKET_PATH = '/socket.io/'
/** What the hub answers in somebody else's server; everything else there is left to its other listeners. */
const OWN_PATHS = [SOCKET_PATH, '/api/v1/', '/api/openapi.json', '/api/asyncapi.json', '/api/docs', '/webhooks/', '/health/', '/metrics']

/** Of requests and closing sockets at the very end, ms. */
const LAST_MS = 3000
const IDLE_LOOK_MS = 50
/** How often requests that do not go on are looked for, ms. */
const LOOK_MS = 2000

export interface FrontDeps {
  app: RequestListener
  /** Absent in a process that holds no connections. */
  engine?: Engine
  /** Of its long-polling. */
  repeats?: Pick<Repeats, 'check'>
  /** Likewise: plain WebSockets. */
  websockets?: WebSocketGateway
  gate: Pick<Gatekeeper, 'enter' | 'authenticate'>
  settings: Settings
  metrics: Metrics
  /** Whether the process stops: what comes then goes to another worker. */
  drainage: Pick<Drainage, 'stage'>
}

export interface Front {
  readonly server: Server
  /** `http://host:port`; empty when somebody else's server does not listen yet. */
  url(): string
  close(): Promise<void>
}

/** Listens on the settings' host and port; or joins a server that somebody else listens with. */
export async function openFront(deps: FrontDeps, existing?: Server): Promise<Front> {
  const underWay = new Set<ServerResponse>()
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    underWay.add(response)
    response.once('close', () => underWay.delete(response))
    // Whoever sends its next request over the same socket would come back here.
    if (deps.drainage.stage !== 'open') response.shouldKeepAlive = false
    if (isSocketPath(request)) void handleSocketRequest(deps, request, response)
    else deps.app(request, response)
  }
  // Somebody else's WebSocket path in a shared server is somebody else's; where nobody else takes upgrades it is nobody's, and refused.
  const isShared = () => existing !== undefined && existing.listenerCount('upgrade') > 1
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void handleUpgrade(deps, request, socket, head, isShared())
  if (deps.engine) holdConnections(deps.engine)
  const lastMs = Math.min(deps.settings.drainMs / 5, LAST_MS)
  if (existing) return joinServer(existing, onRequest, onUpgrade, () => settled(underWay, lastMs))
  const { connectTimeoutMs, requestMs } = deps.settings
  // Who begins a request and does not go on holds a socket and nothing else, and not for long.
  const timeouts = { headersTimeout: Math.min(connectTimeoutMs, requestMs), requestTimeout: requestMs, connectionsCheckingInterval: Math.min(LOOK_MS, connectTimeoutMs / 2) }
  const server = createServer(timeouts, onRequest)
  new PendingSockets(deps.settings.pendingSockets, () => deps.metrics.rejections.inc({ code: 'CONNECTION_LIMIT' })).watch(server)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', onUpgrade)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(deps.settings.port, deps.settings.host, () => resolve())
  })
  return {
    server,
    url: () => urlOf(server),
    close() {
      sendAway(underWay)
      return closeServer(server, sockets, lastMs)
    },
  }
}

/** Begun before the end: the next request over the same socket would find nobody. */
function sendAway(underWay: Iterable<ServerResponse>): void {
  for (const response of underWay) response.shouldKeepAlive = false
}

/** Those begun meanwhile included; not for longer than `ms`. */
async function settled(underWay: ReadonlySet<ServerResponse>, ms: number): Promise<void> {
  const until = performance.now() + ms
  sendAway(underWay)
  while (underWay.size > 0 && performance.now() < until) {
    await atMost(until - performance.now(), Promise.all([...underWay].map((response) => new Promise((resolve) => response.once('close', resolve)))))
  }
}

/** Requests under way end, at most within `ms`; then whatever is left is cut off, upgraded sockets included. */
async function closeServer(server: Server, sockets: Iterable<Socket>, ms: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Sockets whose answer was begun before the end stay open behind it.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS)
  await atMost(ms, closed).finally(() => clearInterval(idle))
  for (const socket of sockets) socket.destroy()
  await closed
}

function joinServer(server: Server, onRequest: RequestListener, onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void, answered: () => Promise<void>): Front {
  const others = server.listeners('request') as RequestListener[]
  const shared: RequestListener = (request, response) => {
    const own = OWN_PATHS.some((path) => request.url?.startsWith(path))
    if (!own && others.length > 0) return others.forEach((other) => other.call(server, request, response))
    onRequest(request, response)
  }
  server.removeAllListeners('request')
  server.on('request', shared)
  server.on('upgrade', onUpgrade)
  return {
    server,
    url: () => urlOf(server),
    async close() {
      server.removeListener('request', shared)
      server.removeListener('upgrade', onUpgrade)
      for (const other of others) server.on('request', other)
      // Requests under way are answered while the stages behind can still do so.
      await answered()
    },
  }
}

function isSocketPath(request: IncomingMessage): boolean {
  return request.url === '/socket.io' || request.url?.startsWith(SOCKET_PATH) === true || request.url?.startsWith('/socket.io?') === true
}

async function handleSocketRequest(deps: FrontDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  secure(response, deps.settings)
  try {
    const sid = sessionOf(request)
    const engine = await check(deps, request, response)
    if (sid !== undefined) deps.repeats?.check(request, sid)
    engine.handleRequest(request, response)
  } catch (error) {
    const [status, failure] = refuse(deps, error)
    response.writeHead(status, { 'Content-Type': 'application/json', ...retryAfterOf(failure) }).end(JSON.stringify({ ok: false, error: failure }))
  }
}

async function handleUpgrade(deps: FrontDeps, request: IncomingMessage, socket: Duplex, head: Buffer, shared: boolean): Promise<void> {
  const plain = deps.websockets?.takes(request) === true
  // Somebody else's WebSocket path in a shared server.
  if (shared && !plain && !isSocketPath(request)) return
  socket.on('error', () => socket.destroy())
  try {
    if (plain) {
      checkOrigin(deps, request)
      socket.once('close', deps.gate.enter(request))
      return await deps.websockets!.handleUpgrade(request, socket, head)
    }
    if (!isSocketPath(request)) throw new HubError('NOT_FOUND')
    const engine = await check(deps, request, socket)
    engine.handleUpgrade(request, socket, head)
  } catch (error) {
    const [status, failure] = refuse(deps, error)
    const body = JSON.stringify({ ok: false, error: failure })
    const headers = Object.entries({ ...securityHeaders(deps.settings), ...retryAfterOf(failure) }).map(([name, value]) => `${name}: ${value}\r\n`).join('')
    // Node's sockets stay half open: whoever does not end its side would hold this one for good, and the server's close with it.
    socket.once('finish', () => socket.destroy())
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
}

/** Connections of the engine under way, each with what is to be called when it is over. */
const entered = new WeakMap<IncomingMessage, Leave>()

/** Origin, room, and a credential that the request itself carries; one in the `auth` payload is looked at later. @param way what the request came over, or is answered by */
async function check(deps: FrontDeps, request: IncomingMessage, way: Duplex | ServerResponse): Promise<Engine> {
  const { engine, gate } = deps
  if (!engine) throw new HubError('NOT_FOUND')
  checkOrigin(deps, request)
  if (sessionOf(request)) return engine
  const leave = gate.enter(request)
  entered.set(request, leave)
  // One that came to nothing. Of long-polling a connection outlives the request that began it.
  way.once('close', () => entered.has(request) && leave())
  const { credential, project } = credentialFromRequest(request)
  if (credential) await gate.authenticate(request, credential, project)
  return engine
}

/** The engine made a connection of it. */
function holdConnections(engine: Engine): void {
  engine.on('connection', (connection: { request: IncomingMessage; once(event: 'close', listener: () => void): unknown }) => {
    const leave = entered.get(connection.request)
    if (!leave) return
    entered.delete(connection.request)
    connection.once('close', leave)
  })
}

function checkOrigin({ settings }: FrontDeps, request: IncomingMessage): void {
  const site = siteOf(settings, request)
  if (!originAllowed(settings, request.headers.origin, site)) throw new HubError('ORIGIN_NOT_ALLOWED')
  dropForeignCookie(settings, request.headers, site)
}

/** As the engine reads it, the last of several: whatever it will take for a new connection must be checked as one. */
function sessionOf(request: IncomingMessage): string | undefined {
  return new URL(request.url ?? '/', 'http://hub').searchParams.getAll('sid').at(-1)
}

function refuse(deps: FrontDeps, error: unknown): [status: number, failure: Failure] {
  const failure = hubErrorOf(error)
  deps.metrics.rejections.inc({ code: failure.code })
  return [failure.status, failure.toJSON()]
}

/** For whoever reads headers only. */
function retryAfterOf({ details }: Failure): Record<string, string> {
  const ms = details?.['retryAfterMs']
  return typeof ms === 'number' ? { 'Retry-After': String(Math.ceil(ms / 1000)) } : {}
}

function urlOf(server: Server): string {
  const address = server.address() as AddressInfo | null
  if (!address) return ''
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
