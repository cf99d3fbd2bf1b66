/**
 * A client of Socket.IO over a WebSocket, as cheap as can be: thousands of them must cost less than what they measure. Frames are looked at
 * where the kernel put them; all sockets of the process read into one buffer, and nothing is kept of a frame that came whole.
 */
import { connect, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'

/** One for the process: it is read and done with before the next socket's turn. */
const READ = Buffer.allocUnsafe(256 * 1024)
const PING = 0x32
const OPEN = 0x30
const MESSAGE = 0x34
const [CONNECTED, EVENT, ANSWER] = [0x30, 0x32, 0x33]
const CLOSE_FRAME = 8

export interface LeanOptions {
  /** `http://host:port` */
  url: string
  token: string
  /** Each is a subscription of its own. */
  topics: readonly string[]
  /** An event's packet stands in `bytes` from `from` to `to`, `42[` included; it is gone after the call. */
  onEvent?: (bytes: Buffer, from: number, to: number) => void
  /** It ended before `close`. */
  onLost?: (reason: string) => void
}

export class LeanSocket {
  private readonly tcp: Socket
  private upgraded = false
  private isClosed = false
  private kept: Buffer | undefined
  private answers = 0
  private settle?: { resolve: () => void; reject: (error: Error) => void }

  private constructor(private readonly options: LeanOptions) {
    const { hostname, port } = new URL(options.url)
    this.tcp = connect({ host: hostname, port: Number(port), noDelay: true, onread: { buffer: READ, callback: (length, buffer) => this.read(buffer as Buffer, length) } })
    this.tcp.on('error', (error) => this.lost(error.message))
    this.tcp.on('close', () => this.lost('closed'))
    const key = randomBytes(16).toString('base64')
    this.tcp.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
  }

  /** Resolves when all its subscriptions were answered; rejects when one was refused. */
  static open(options: LeanOptions): Promise<LeanSocket> {
    return new Promise((resolve, reject) => {
      const socket = new LeanSocket(options)
      socket.settle = { resolve: () => resolve(socket), reject }
    })
  }

  /** Stops reading: the kernel's buffers fill, then the hub's. */
  pause(): void {
    this.tcp.pause()
  }

  resume(): void {
    this.tcp.resume()
  }

  /** A packet, `42[...]` for instance. */
  send(packet: string): void {
    const length = Buffer.byteLength(packet)
    const head = length < 126 ? 6 : length < 65_536 ? 8 : 14
    // A client masks; with a key of zeros the payload stays as it is.
    const frame = Buffer.alloc(head + length)
    frame[0] = 0x81
    if (head === 6) frame[1] = 0x80 | length
    else if (head === 8) {
      frame[1] = 0x80 | 126
      frame.writeUInt16BE(length, 2)
    } else {
      frame[1] = 0x80 | 127
      frame.writeBigUInt64BE(BigInt(length), 2)
    }
    frame.write(packet, head)
    this.tcp.write(frame)
  }

  close(): void {
    this.isClosed = true
    this.tcp.destroy()
  }

  private lost(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.settle?.reject(new Error(`a connection ended: ${reason}`))
    this.options.onLost?.(reason)
  }

  private read(buffer: Buffer, length: number): boolean {
    const fresh = buffer.subarray(0, length)
    const bytes = this.kept ? Buffer.concat([this.kept, fresh]) : fresh
    let at = this.upgraded ? 0 : this.upgrade(bytes)
    for (let next = at; at >= 0 && (next = this.frame(bytes, at)) > at; ) at = next
    // A copy: the buffer is another socket's next.
    this.kept = at >= bytes.length ? undefined : Buffer.from(bytes.subarray(Math.max(0, at)))
    return true
  }

  /** Where the frames begin; -1 while the answer has not come whole. */
  private upgrade(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) return -1
    this.upgraded = true
    if (!bytes.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) this.lost(bytes.subarray(0, 200).toString('utf8'))
    return end + 4
  }

  /** Behind the frame that begins there; the same place when it is not whole. */
  private frame(bytes: Buffer, at: number): number {
    if (bytes.length < at + 2) return at
    let from = at + 2
    let length = bytes[at + 1]! & 0x7f
    if (length === 126) {
      if (bytes.length < from + 2) return at
      length = bytes.readUInt16BE(from)
      from += 2
    } else if (length === 127) {
      if (bytes.length < from + 8) return at
      length = Number(bytes.readBigUInt64BE(from))
      from += 8
    }
    if (bytes.length < from + length) return at
    if ((bytes[at]! & 0x0f) === CLOSE_FRAME) this.lost('the hub ended it')
    else this.packet(bytes, from, from + length)
    return from + length
  }

  private packet(bytes: Buffer, from: number, to: number): void {
    const kind = bytes[from]
    if (kind === MESSAGE) {
      const type = bytes[from + 1]
      if (type === EVENT) this.options.onEvent?.(bytes, from, to)
      else if (type === ANSWER) this.answered(bytes.toString('utf8', from, to))
      else if (type === CONNECTED) this.subscribe()
      else this.lost(bytes.toString('utf8', from, Math.min(to, from + 200)))
    } else if (kind === PING) this.send('3')
    else if (kind === OPEN) this.send(`40${JSON.stringify({ token: this.options.token })}`)
  }

  private subscribe(): void {
    for (const [place, topic] of this.options.topics.entries()) this.send(`42${place}${JSON.stringify(['subscribe', { topics: [topic] }])}`)
    if (this.options.topics.length === 0) this.settle?.resolve()
  }

  private answered(packet: string): void {
    if (!packet.includes('"ok":true')) this.lost(packet.slice(0, 200))
    else if (++this.answers === this.options.topics.length) this.settle?.resolve()
  }
}

/** Opens them `together` at a time: a storm is not what is measured. */
export async function openAll(all: readonly LeanOptions[], together = 64): Promise<LeanSocket[]> {
  const sockets: LeanSocket[] = []
  for (let at = 0; at < all.length; at += together) sockets.push(...(await Promise.all(all.slice(at, at + together).map((options) => LeanSocket.open(options)))))
  return sockets
}
