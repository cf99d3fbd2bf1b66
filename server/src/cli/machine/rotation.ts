/** The port of the machine: takes connections and hands them out, unread, one to each worker in turn. */
import { STATUS_CODES } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { HubError } from '@hubbub/protocol'
import type { Occupant } from './occupant.js'

/** Of all, those with the fewest connections under way; of these, who was given none for the longest. Undefined when there is nobody. */
export function nextOf<T extends Pick<Occupant, 'underWay' | 'given'>>(workers: readonly T[]): T | undefined {
  return workers.reduce<T | undefined>((best, one) => (!best || one.underWay < best.underWay || (one.underWay === best.underWay && one.given < best.given) ? one : best), undefined)
}

export class Rotation {
  private readonly server: Server
  private turns = 0

  /** `workers`: those that may be given a connection now; who is about to stop is none of them. */
  constructor(private readonly workers: () => readonly Occupant[]) {
    // As an http server has it. Paused: what would be read here would be lost on the way.
    this.server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.give(socket))
  }

  /** Rejects when the port is taken. Answers `http://host:port`. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => this.server.once('error', reject).listen({ host, port }, resolve))
    // Too many open files, most likely: whoever asks next may be luckier.
    this.server.on('error', () => undefined)
    const { address, family, port: taken } = this.server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`
  }

  /** An upgrade for the session of one worker. Is that one gone, any other says so. */
  carry(to: number, first: Buffer, socket: Socket, all: readonly Occupant[]): void {
    const owner = all.find(({ id, isReady }) => id === to && isReady)
    this.give(socket, first, owner)
  }

  close(): void {
    this.server.close()
  }

  private give(socket: Socket, first?: Buffer, to = nextOf(this.workers())): void {
    if (!to) return refuse(socket)
    to.given = ++this.turns
    to.connect(socket, first)
  }
}

/** All workers are on their way up, or down. */
function refuse(socket: Socket): void {
  const failure = new HubError('UNAVAILABLE', 'No worker of this machine is ready.')
  const body = JSON.stringify({ ok: false, error: failure })
  socket.on('error', () => socket.destroy())
  // What was asked is still read: a close with unread bytes would take the answer with it.
  socket.resume()
  socket.once('finish', () => setTimeout(() => socket.destroy(), 1000).unref())
  socket.end(`HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\nConnection: close\r\nRetry-After: 1\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
