/** Through which a session's events reach a plain WebSocket: a burst in one write, shared by all sockets of an audience. */
import type { Socket as TcpSocket } from 'node:net'
import type { Cursor, Gap } from '@hubbub/protocol'
import type { WebSocket } from 'ws'
import type { Chunk } from '../../fanout/entry.js'
import type { Outlet } from '../../fanout/session.js'
import type { Metrics } from '../../observe/metrics.js'
import { nextDrain } from '../drain.js'
import type { Dialect } from './dialect.js'

/** Below it a socket counts as drained, bytes. */
const LOW_BYTES = 64 * 1024

export interface Wire {
  socket: WebSocket
  tcp: TcpSocket
  metrics: Metrics
  encoding: Dialect['encoding']
}

export class WebSocketOutlet implements Outlet {
  readonly encoding: Dialect['encoding']
  /** Told of each write, one to a closing socket included: the session counts it, too. */
  onWrite?: () => void
  private readonly socket: WebSocket
  private readonly tcp: TcpSocket
  private readonly metrics: Metrics
  /** What the session says while its connection is made: the dialect's first words go before it. */
  private early?: object[] = []

  constructor(private readonly dialect: Dialect, { socket, tcp, metrics, encoding }: Wire) {
    this.encoding = encoding
    this.socket = socket
    this.tcp = tcp
    this.metrics = metrics
  }

  /** The first words were said. */
  begin(): void {
    const { early = [] } = this
    this.early = undefined
    for (const message of early) this.send(message)
  }

  write(chunk: Chunk): void {
    this.onWrite?.()
    if (this.socket.readyState !== this.socket.OPEN) return
    this.metrics.writes.inc({ way: 'buffer' })
    // Without an extension ws holds nothing back: what it was given before stands before this on the wire.
    this.tcp.write(chunk.buffer)
  }

  bookmark(cursor: Cursor): void {
    this.tell(this.dialect.bookmark(cursor))
  }

  gap(gap: Gap): void {
    this.tell(this.dialect.gap(gap))
  }

  send(message: object | undefined): void {
    if (message && this.socket.readyState === this.socket.OPEN) this.socket.send(JSON.stringify(message))
  }

  waiting(): { bytes: number; packets: number } {
    return { bytes: this.socket.bufferedAmount, packets: 0 }
  }

  /** Bytes that the network took. */
  taken(): number {
    return this.tcp.bytesWritten - this.socket.bufferedAmount
  }

  async drained(): Promise<void> {
    while (this.socket.readyState === this.socket.OPEN && this.socket.bufferedAmount >= LOW_BYTES) await nextDrain(this.tcp, this.socket)
  }

  private tell(message: object | undefined): void {
    if (message && this.early) this.early.push(message)
    else this.send(message)
  }
}
