/**
 * Socket.IO on the wire: encoding of events, and the outlet through which a session's frames reach its socket.
 * A burst's frames go to the TCP stream in one write when nothing else waits; any other socket goes the ordinary way.
 * The engine's fields used here are not part of its public types; this file is the only place that touches them.
 */
import type { Socket as TcpSocket } from 'node:net'
import type { Cursor, Gap } from '@hubbub/protocol'
import type { Compression } from '../../fanout/compression.js'
import type { Chunk, Encoding, Frame, TailEntry } from '../../fanout/entry.js'
import type { Outlet } from '../../fanout/session.js'
import type { Metrics } from '../../observe/metrics.js'
import { nextDrain } from '../drain.js'
import { webSocketFrame } from '../frame.js'

/** engine.io's connection, as far as this file uses it. */
export interface EngineConnection {
  readyState: string
  upgrading: boolean
  writeBuffer: { data?: unknown }[]
  transport: {
    name: string
    writable: boolean
    socket?: { readyState: number; extensions: string; bufferedAmount: number; _socket?: TcpSocket }
  }
  write(data: string, options?: { compress?: boolean; wsPreEncodedFrame?: Buffer[] }): unknown
  once(event: 'drain' | 'close', listener: () => void): unknown
  removeListener(event: 'drain' | 'close', listener: () => void): unknown
}

const WS_OPEN = 1
/** Below these a socket counts as drained. */
const LOW_BYTES = 64 * 1024
const LOW_PACKETS = 16

/** `event` is JSON already. The cursor stands last: the stock client remembers it for its recovery. */
export function socketioEncoding(metrics: Metrics, compression?: Compression): Encoding {
  const json = (entry: TailEntry) => compression?.jsonOf(entry) ?? entry.json
  return {
    name: compression ? 'socket.io gzip' : 'socket.io',
    encode(entry) {
      metrics.encodes.inc()
      return textFrame(`2["${entry.event.type}",${json(entry)},"${entry.cursor}"]`)
    },
    batch(entries) {
      metrics.encodes.inc(entries.length)
      const placed = entries.map((entry) => `{"event":${json(entry)},"cursor":"${entry.cursor}"}`)
      return textFrame(`2["events",[${placed.join(',')}],"${entries[entries.length - 1]!.cursor}"]`)
    },
  }
}

/** A Socket.IO packet, and the frame around it (`4`: engine.io's message). */
export function textFrame(packet: string): Frame {
  return { packet, bytes: webSocketFrame(packet, '4') }
}

export class SocketOutlet implements Outlet {
  private lastBookmark?: { cursor: Cursor; frame: Frame }

  constructor(readonly encoding: Encoding, private readonly conn: EngineConnection, private readonly metrics: Metrics) {}

  write(chunk: Chunk): void {
    const tcp = this.directStream()
    if (tcp) {
      this.metrics.writes.inc({ way: 'buffer' })
      tcp.write(chunk.buffer)
      return
    }
    this.metrics.writes.inc({ way: 'packets' }, chunk.frames.length)
    for (const frame of chunk.frames) this.send(frame)
  }

  bookmark(cursor: Cursor): void {
    if (this.lastBookmark?.cursor !== cursor) this.lastBookmark = { cursor, frame: textFrame(`2["hub.cursor","${cursor}"]`) }
    this.send(this.lastBookmark.frame)
  }

  /**
   * Where reading goes on stands last: a client that resumes from it is not told the same gap again. That is the gap's end, but for an
   * agent's new session, which may have older mail to read.
   */
  gap(gap: Gap, cursor: Cursor = gap.to): void {
    this.send(textFrame(`2["gap",${JSON.stringify(gap)},"${cursor}"]`))
  }

  waiting(): { bytes: number; packets: number } {
    const { writeBuffer, transport } = this.conn
    let bytes = transport.socket?.bufferedAmount ?? 0
    for (const { data } of writeBuffer) if (typeof data === 'string') bytes += data.length
    return { bytes, packets: writeBuffer.length }
  }

  async drained(): Promise<void> {
    for (;;) {
      const { bytes, packets } = this.waiting()
      if ((bytes < LOW_BYTES && packets < LOW_PACKETS) || this.conn.readyState !== 'open') return
      await nextDrain(this.conn, this.conn.transport.socket?._socket)
    }
  }

  private send(frame: Frame): void {
    if (this.conn.readyState === 'open') this.conn.write(frame.packet, { compress: false, wsPreEncodedFrame: [frame.bytes] })
  }

  /** The TCP stream, while the bytes written to it would come behind everything that engine.io was given. */
  private directStream(): TcpSocket | undefined {
    const { readyState, upgrading, writeBuffer, transport } = this.conn
    const ws = transport.socket
    const open = readyState === 'open' && !upgrading && transport.name === 'websocket' && transport.writable && writeBuffer.length === 0
    return open && ws?.readyState === WS_OPEN && ws.extensions === '' ? ws._socket : undefined
  }
}
