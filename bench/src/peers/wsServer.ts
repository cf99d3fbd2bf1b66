/**
 * What a broadcast costs at least: every message of a Redis channel to every WebSocket. Plain: a `send` each, the naive limit. Corked: what
 * came together goes in one write a socket, of frames made once, the practical limit of Node's sockets. Ends with its parent.
 */
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { createClient } from 'redis'
import { WebSocketServer, type WebSocket } from 'ws'

export interface WsOptions {
  redisUrl: string
  channel: string
  corked: boolean
}

const input = JSON.parse(process.argv[2] ?? '{}') as WsOptions
const http = createServer()
const server = new WebSocketServer({ server: http, perMessageDeflate: false })
const clients = new Set<WebSocket>()
server.on('connection', (socket) => {
  clients.add(socket)
  socket.on('close', () => clients.delete(socket))
  socket.on('message', () => socket.send('ok'))
})

let gathered: Buffer[] = []
const reader = await createClient({ url: input.redisUrl }).on('error', () => undefined).connect()
if (input.corked) await reader.subscribe(input.channel, gather, true)
else {
  await reader.subscribe(input.channel, (message) => {
    for (const socket of clients) socket.send(message)
  })
}
process.stdin.on('end', () => process.exit(0)).resume()
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', () => resolve()))
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(http.address() as { port: number }).port}` })}\n`)

/** All messages of one read from Redis. */
function gather(message: Buffer): void {
  if (gathered.length === 0) setImmediate(flush)
  gathered.push(frameOf(message))
}

function flush(): void {
  const frames = gathered
  gathered = []
  for (const client of clients) {
    const tcp = (client as unknown as { _socket: Socket })._socket
    tcp.cork()
    for (const frame of frames) tcp.write(frame)
    tcp.uncork()
  }
}

/** As `ws` has it, of text that is neither masked nor compressed. */
function frameOf(message: Buffer): Buffer {
  const { length } = message
  const head = length < 126 ? Buffer.from([0x81, length]) : length < 65_536 ? Buffer.from([0x81, 126, length >> 8, length & 0xff]) : Buffer.from([0x81, 127, 0, 0, 0, 0, (length >>> 24) & 0xff, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff])
  return Buffer.concat([head, message])
}
