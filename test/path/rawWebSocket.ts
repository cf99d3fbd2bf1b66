import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { eventually } from '../harness/eventually.js'

const KEPT_BYTES = 4 * 1024 * 1024

/** A WebSocket by hand: frames as they are given, and what came back. */
export class RawWebSocket {
  private received = Buffer.alloc(0)
  ended = false
  /** Of the socket, if it did not end in order. */
  failure?: string

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes) => (this.received = Buffer.concat([this.received, bytes]).subarray(-KEPT_BYTES)))
    socket.on('close', () => (this.ended = true))
    socket.on('error', (error) => (this.failure = error.message))
  }

  /** @param url of the hub */
  static async open(url: string, path: string): Promise<RawWebSocket> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const raw = new RawWebSocket(socket)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`)
    await eventually(() => raw.text().includes('101 Switching Protocols'), 'the upgrade')
    return raw
  }

  text(): string {
    return this.received.toString('latin1')
  }

  /** The code of the close frame at the end, which is its last four bytes or, with a reason, stands before that. */
  closeCode(): number | undefined {
    const at = this.received.lastIndexOf(0x88)
    return at < 0 || at + 4 > this.received.length ? undefined : this.received.readUInt16BE(at + 2)
  }

  frame(payload: Buffer, { opcode = 1, fin = true, rsv1 = false } = {}): boolean {
    const mask = randomBytes(4)
    const head = payload.length < 126 ? Buffer.from([0, 0x80 | payload.length]) : payload.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
    head[0] = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode
    if (head.length === 4) {
      head[1] = 0x80 | 126
      head.writeUInt16BE(payload.length, 2)
    } else if (head.length === 10) {
      head[1] = 0x80 | 127
      head.writeBigUInt64BE(BigInt(payload.length), 2)
    }
    const masked = Buffer.from(payload)
    for (let at = 0; at < masked.length; at++) masked[at]! ^= mask[at % 4]!
    return this.socket.write(Buffer.concat([head, mask, masked]))
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('drain', resolve)
      this.socket.once('close', () => resolve())
    })
  }

  /** Reads no more until `resume`. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  destroy(): void {
    this.socket.destroy()
  }
}
