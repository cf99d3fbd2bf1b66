/**
 * An HTTP proxy that understands what it forwards: it can let no WebSocket pass, or nothing of Socket.IO, or nothing at all, as the
 * networks of offices do, and lose answers on their way back. All of it can be changed while connections are open.
 */
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** `websocket`: upgrades; `socketio`: upgrades and everything under /socket.io/; `everything` besides. */
export type Blocked = 'nothing' | 'websocket' | 'socketio' | 'everything'

export interface Blockade {
  url: string
  /** @param how `refuse`: answered as a filter does, 403 and a page; `swallow`: never answered. Open connections of that kind are cut. */
  block(what: Blocked, how?: 'refuse' | 'swallow'): void
  /** Resets whatever is open. */
  cut(): void
  /** The next answer to a request of that method and path does not arrive: its connection is reset. */
  loseAnswer(method: string, path: string): void
  /** `GET /api/v1/history?...`, `UPGRADE /socket.io/?...`: all that came, blocked or not. */
  readonly requests: string[]
  close(): Promise<void>
}

export async function startBlockade(target: { host?: string; port: number }): Promise<Blockade> {
  const host = target.host ?? '127.0.0.1'
  const sockets = new Map<Duplex, 'websocket' | 'http'>()
  const requests: string[] = []
  const losses: string[] = []
  let blocked: Blocked = 'nothing'
  let how: 'refuse' | 'swallow' = 'refuse'

  const isBlocked = (url: string, isUpgrade: boolean): boolean =>
    blocked === 'everything' || (blocked !== 'nothing' && isUpgrade) || (blocked === 'socketio' && url.startsWith('/socket.io/'))

  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = 'GET', url = '/', headers } = incoming
    requests.push(`${method} ${url}`)
    if (isBlocked(url, false)) {
      if (how === 'refuse') outgoing.writeHead(403, { 'Content-Type': 'text/html' }).end('<h1>Not allowed here</h1>')
      return
    }
    const loss = losses.indexOf(`${method} ${url.split('?')[0]}`)
    if (loss >= 0) losses.splice(loss, 1)
    const onwards = forward({ host, port: target.port, method, path: url, headers, agent: false }, (answer) => {
      if (loss >= 0) return void incoming.socket.resetAndDestroy()
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onwards.on('error', () => incoming.socket.destroy())
    outgoing.on('close', () => onwards.destroy())
    incoming.pipe(onwards)
  })
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, 'http')
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (incoming: IncomingMessage, near: Duplex, head: Buffer) => {
    requests.push(`UPGRADE ${incoming.url}`)
    if (isBlocked(incoming.url ?? '/', true)) {
      if (how === 'refuse') near.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    sockets.set(near, 'websocket')
    const far = connect({ host, port: target.port, noDelay: true })
    const lines = Array.from({ length: incoming.rawHeaders.length / 2 }, (_, n) => `${incoming.rawHeaders[2 * n]}: ${incoming.rawHeaders[2 * n + 1]}`)
    far.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    far.write(head)
    far.on('error', () => undefined)
    far.on('close', () => near.destroy())
    near.on('close', () => far.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const cut = (which: (kind: 'websocket' | 'http') => boolean): void => {
    for (const [socket, kind] of sockets) if (which(kind)) (socket as Socket).resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    block(what, by = 'refuse') {
      blocked = what
      how = by
      if (what === 'websocket') cut((kind) => kind === 'websocket')
      else if (what !== 'nothing') cut(() => true)
    },
    cut: () => cut(() => true),
    loseAnswer: (method, path) => void losses.push(`${method} ${path}`),
    async close() {
      cut(() => true)
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
