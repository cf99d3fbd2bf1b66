/**
 * Sockets whose request has not come whole: each costs a descriptor, and whoever opens them need not say who it is. Time alone is no bound
 * for many of them; with more than may be the oldest goes, for an honest client is done at once.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

export class PendingSockets {
  /** The oldest first. */
  private readonly waiting = new Set<Socket>()

  /** @param onOverflow told of each that is closed */
  constructor(private readonly most: number, private readonly onOverflow: () => void) {}

  get size(): number {
    return this.waiting.size
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.waiting.add(socket)
      socket.once('close', () => this.waiting.delete(socket))
      if (this.waiting.size > this.most) this.dropOldest()
    })
    server.prependListener('request', (request: IncomingMessage) => this.arrived(request))
    server.prependListener('upgrade', (request: IncomingMessage) => this.waiting.delete(request.socket))
  }

  /** Its head did. What has a body is whole when that was read. */
  private arrived(request: IncomingMessage): void {
    const { headers, socket } = request
    const done = () => this.waiting.delete(socket)
    if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return void done()
    request.once('end', done)
    request.once('close', done)
    // A second one over the same socket, with a body that does not come.
    this.waiting.add(socket)
  }

  private dropOldest(): void {
    const [oldest] = this.waiting
    this.waiting.delete(oldest!)
    oldest!.destroy()
    this.onOverflow()
  }
}
