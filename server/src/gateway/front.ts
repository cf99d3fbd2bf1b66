/**
 * The one listening server: requests to the express app, `/socket.io/` and upgrades to the engine. What can be refused is
 * refused here, before the upgrade, with a status: a middleware of the engine would reach a WebSocket client as a hang-up.
 */
import { createServer, STATUS_CODES, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { HubError, type Failure } from '@hubbub/protocol'
import type { Server as Engine } from 'engine.io'
import type { Authenticator } from '../access/authenticator.js'
import { credentialFromRequest } from '../access/credentials.js'
import type { Metrics } from '../observe/metrics.js'
import type { Settings } from '../settings/table.js'
import { hubErrorOf } from '../store/failure.js'
import { dropForeignCookie, originAllowed } from './origin.js'
import type { Repeats } from './socketio/repeats.js'
import type { WebSocketGateway } from './websocket/gateway.js'

const SOCKET_PATH = '/socket.io/'
/** What the hub answers in somebody else's server; everything else there is left to its other listeners. */
const OWN_PATHS = [SOCKET_PATH, '/api/v1/', '/api/openapi.json', '/api/asyncapi.json', '/api/docs', '/webhooks/', '/health/', '/metrics']

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
  /** Likewise: answers that go on. They come in as requests, and count as connections. */
  streams?: { readonly size: number }
  authenticator: Pick<Authenticator, 'authenticate'>
  settings: Settings
  metrics: Metrics
  /** The process stops: what comes now goes to another worker. */
  draining: () => boolean
}

export interface Front {
  readonly server: Server
  /** `http://host:port`; empty when somebody else's server does not listen yet. */
  url(): string
  close(): Promise<void>
}

/** Listens on the settings' host and port; or joins a server that somebody else listens with. */
export async function openFront(deps: FrontDeps, existing?: Server): Promise<Front> {
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    if (isSocketPath(request)) void handleSocketRequest(deps, request, response)
    else deps.app(request, response)
  }
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void handleUpgrade(deps, request, socket, head, existing !== undefined)
  if (existing) return joinServer(existing, onRequest, onUpgrade)
  const { connectTimeoutMs, requestMs } = deps.settings
  // Who begins a request and does not go on holds a socket and nothing else, and not for long.
  const timeouts = { headersTimeout: Math.min(connectTimeoutMs, requestMs), requestTimeout: requestMs, connectionsCheckingInterval: Math.min(LOOK_MS, connectTimeoutMs / 2) }
  const server = createServer(timeouts, onRequest)
  server.on('upgrade', onUpgrade)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(deps.settings.port, deps.settings.host, () => resolve())
  })
  return {
    server,
    url: () => urlOf(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function joinServer(server: Server, onRequest: RequestListener, onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): Front {
  const others = server.listeners('request') as RequestListener[]
  const shared: RequestListener = (request, response) => {
    const own = OWN_PATHS.some((path) => request.url?.startsWith(path))
    if (own || others.length === 0) onRequest(request, response)
    else for (const other of others) other.call(server, request, response)
  }
  server.removeAllListeners('request')
  server.on('request', shared)
  server.on('upgrade', onUpgrade)
  return {
    server,
    url: () => urlOf(server),
    close: () => {
      server.removeListener('request', shared)
      server.removeListener('upgrade', onUpgrade)
      for (const other of others) server.on('request', other)
      return Promise.resolve()
    },
  }
}

function isSocketPath(request: IncomingMessage): boolean {
  return request.url === '/socket.io' || request.url?.startsWith(SOCKET_PATH) === true || request.url?.startsWith('/socket.io?') === true
}

async function handleSocketRequest(deps: FrontDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const engine = await check(deps, request)
    const sid = sessionOf(request)
    if (sid !== undefined) deps.repeats?.check(request, sid)
    engine.handleRequest(request, response)
  } catch (error) {
    const [status, failure] = refuse(deps, error)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ ok: false, error: failure }))
  }
}

async function handleUpgrade(deps: FrontDeps, request: IncomingMessage, socket: Duplex, head: Buffer, shared: boolean): Promise<void> {
  const plain = deps.websockets?.takes(request) === true
  // Somebody else's WebSocket path in a shared server.
  if (shared && !plain && !isSocketPath(request)) return
  socket.on('error', () => socket.destroy())
  try {
    if (plain) {
      checkArrival(deps, request)
      return await deps.websockets!.handleUpgrade(request, socket, head)
    }
    if (!isSocketPath(request)) throw new HubError('NOT_FOUND')
    const engine = await check(deps, request)
    engine.handleUpgrade(request, socket, head)
  } catch (error) {
    const [status, failure] = refuse(deps, error)
    const body = JSON.stringify({ ok: false, error: failure })
    // Node's sockets stay half open: whoever does not end its side would hold this one for good, and the server's close with it.
    socket.once('finish', () => socket.destroy())
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
}

/** Origin, room, and a credential that the request itself carries; one in the `auth` payload is looked at later. */
async function check(deps: FrontDeps, request: IncomingMessage): Promise<Engine> {
  const { engine } = deps
  if (!engine) throw new HubError('NOT_FOUND')
  if (sessionOf(request)) {
    checkOrigin(deps, request)
    return engine
  }
  checkArrival(deps, request)
  const { credential, project } = credentialFromRequest(request)
  if (credential) await deps.authenticator.authenticate(credential, project)
  return engine
}

/** A new connection, by whatever wire: from a page that may, to a worker that stays and has room. */
function checkArrival(deps: FrontDeps, request: IncomingMessage): void {
  checkOrigin(deps, request)
  if (deps.draining()) throw new HubError('UNAVAILABLE', 'This worker is stopping.')
  const { maxConnections } = deps.settings
  if ((deps.engine?.clientsCount ?? 0) + (deps.websockets?.size ?? 0) + (deps.streams?.size ?? 0) < maxConnections) return
  throw new HubError('CONNECTION_LIMIT', undefined, { limit: maxConnections, unit: 'connections', setting: 'HUBBUB_MAX_CONNECTIONS' })
}

function checkOrigin({ settings }: FrontDeps, request: IncomingMessage): void {
  if (!originAllowed(settings, request.headers.origin, request.headers.host)) throw new HubError('ORIGIN_NOT_ALLOWED')
  dropForeignCookie(settings, request.headers)
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

function urlOf(server: Server): string {
  const address = server.address() as AddressInfo | null
  if (!address) return ''
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
