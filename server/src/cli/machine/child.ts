/** A process of the machine, as it sees itself: a hub that is given its connections. `primary.ts` is its other side. */
import cluster from 'node:cluster'
import { mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { PendingSockets } from '../../gateway/pending.js'
import { startHub, type RunningHub } from '../../hub.js'
import type { Logger } from '../../observe/log.js'
import { SettingError } from '../../settings/read.js'
import type { Settings } from '../../settings/table.js'
import { StoreUnavailable } from '../../store/port.js'
import { asItCame, laneOf, ownerOf, passOn, restorePeer, sessionIds } from './lanes.js'
import { carryTo, tellPrimary, type Berth, type ToProcess } from './messages.js'

export interface ChildParts {
  /** Read anew by this process; role and name are of its berth. */
  settings: Settings
  berth: Berth
  log: Logger
  /** Orderly, and in time; answers whether it was. */
  close: (hub: RunningHub) => Promise<boolean>
}

/** Runs until SIGTERM, or until there is no primary any more. Answers the exit code; why it could not start goes to the primary. */
export async function runChild(parts: ChildParts): Promise<number> {
  const { berth, settings, log } = parts
  const me = cluster.worker!
  // Node ends a worker without a primary on the spot; its connections deserve better.
  me.exitedAfterDisconnect = true
  const stop = untilStopped()
  const server = createServer(serverTimeouts(settings))
  try {
    const hub = await startHub({ settings, log, server, sessionId: sessionIds(me.id) })
    takeTraffic(server, hub, { me: me.id, berth, settings })
    // By the first one that has something to put there: a folder of the primary's would stay if that was killed too early.
    await mkdir(berth.lanes, { recursive: true, mode: 0o700 })
    // Not shared with the other processes, as what listens in a worker otherwise is.
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ path: laneOf(berth.lanes, me.id), exclusive: true }, resolve))
    tellPrimary({ kind: 'ready' })
    await stop
    const inOrder = await parts.close(hub)
    // Last: until here its sessions were asked for over the lane.
    server.close()
    server.closeAllConnections()
    // Without a primary there is no port either, and nobody whom the others could pass on.
    if (!process.connected) await rm(berth.lanes, { recursive: true, force: true })
    return inOrder ? 0 : 1
  } catch (error) {
    const [line, code] = inWords(error)
    tellPrimary({ kind: 'failed', line, code })
    return code
  }
}

/** A terminal sends SIGINT to all of us, and SIGHUP: what is to be done about it the primary says. */
function untilStopped(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
  return new Promise((resolve) => {
    // Asked again, by whoever asks all processes of the machine and by the primary, it goes on: without a listener it would end in the middle.
    process.on('SIGTERM', resolve)
    process.once('disconnect', resolve)
  })
}

type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

function takeTraffic(server: Server, hub: RunningHub, { me, berth, settings }: { me: number; berth: Berth; settings: Settings }): void {
  /** Connections that may name sessions of others; what was carried here, or came over the lane, is answered here. */
  const fresh = new WeakSet<Duplex>()
  const given = new WeakSet<Duplex>()
  /** Carried here, and perhaps still read elsewhere; by number. */
  const held = new Map<number, Socket>()
  const ownerElsewhere = (request: IncomingMessage) => {
    const owner = fresh.has(request.socket) ? ownerOf(request) : undefined
    return owner === me ? undefined : owner
  }
  const serve = server.listeners('request') as RequestListener[]
  const upgrade = server.listeners('upgrade') as OnUpgrade[]
  server.removeAllListeners('request').removeAllListeners('upgrade')
  // As of a hub that listens itself.
  new PendingSockets(settings.pendingSockets, () => hub.metrics.rejections.inc({ code: 'CONNECTION_LIMIT' })).watch(server)
  const count = server.listeners('upgrade') as OnUpgrade[]
  // One listener in all: where there are more the hub leaves what it does not know to the others.
  server.removeAllListeners('upgrade')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!given.has(request.socket)) restorePeer(request)
    const here = () => serve.forEach((listener) => listener.call(server, request, response))
    const owner = ownerElsewhere(request)
    if (owner === undefined) here()
    else passOn(laneOf(berth.lanes, owner), request, response, here)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    for (const listener of count) listener.call(server, request, socket, head)
    const owner = ownerElsewhere(request)
    if (owner === undefined) upgrade.forEach((listener) => listener.call(server, request, socket, head))
    else carryTo(owner, asItCame(request, head), socket as Socket)
  })
  process.on('message', (message: ToProcess, socket?: Socket) => {
    if (message.kind === 'figures') return void hub.metrics.registry.getMetricsAsJSON().then((figures) => tellPrimary({ kind: 'figures', query: message.query, figures }))
    if (message.kind === 'stock') return tellPrimary(message)
    if (message.kind === 'begin') return begin(message.number, message.first)
    if (socket && message.isCarried) held.set(message.number, socket.on('error', () => socket.destroy()))
    tellPrimary({ kind: 'took', number: message.number })
    // It ended on its way here.
    if (!socket) return
    given.add(socket)
    if (message.isCarried) return
    fresh.add(socket)
    server.emit('connection', socket)
  })
  const begin = (number: number, first: Buffer) => {
    const socket = held.get(number)
    held.delete(number)
    if (!socket || socket.destroyed) return
    server.emit('connection', socket)
    socket.unshift(first)
  }
}

/** As a hub that listens itself has them: they begin when this server listens, be it on its lane only. */
function serverTimeouts({ connectTimeoutMs, requestMs }: Settings): ServerOptions {
  return { headersTimeout: Math.min(connectTimeoutMs, requestMs), requestTimeout: requestMs, connectionsCheckingInterval: Math.min(2000, connectTimeoutMs / 2) }
}

function inWords(error: unknown): [line: string, code: number] {
  if (error instanceof SettingError) return [error.message, 2]
  if (error instanceof StoreUnavailable) return [`the store is out of reach: ${error.message}`, 1]
  return [error instanceof Error ? error.message : String(error), 1]
}
