/**
 * A WebSocket's client side, as cheap as can be: thousands of them must cost less than what they measure. Frames are looked at where the
 * kernel put them; all sockets of the process read into one buffer, and nothing is kept of a frame that came whole.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** One for the process: it is read and done with before the next socket's turn. */
const READ = Buffer.allocUnsafe(256 * 1024)
const [TEXT, CLOSE, PING] = [1, 8, 9]

export interface Target {
  /** `http://host:port` */
  url: string
  /** With the query. */
  path: string
  /** Lines of the request's head besides those of every WebSocket. */
  headers?: readonly string[]
}

export abstract class LeanWebSocket {
  private readonly tcp: Socket
  private upgraded = false
  private isClosed = false
  private kept: Buffer | undefined

  constructor({ url, path, headers = [] }: Target) {
    const { hostname, port } = new URL(url)
    this.tcp = connect({ host: hostname, port: Number(port), noDelay: true, onread: { buffer: READ, callback: (length, buffer) => this.read(buffer as Buffer, length) } })
    this.tcp.on('error', (error) => this.end(error.message))
    this.tcp.on('close', () => this.end('closed'))
    const key = randomBytes(16).toString('base64')
    const head = [`GET ${path} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', ...headers]
    this.tcp.write(`${head.join('\r\n')}\r\n\r\n`)
  }

  /** It may be written to. */
  protected opened(): void {}

  /** A frame's payload stands in `bytes` from `from` to `to`; it is gone after the call. `compressed`: by permessage-deflate. */
  protected abstract frame(bytes: Buffer, from: number, to: number, compressed: boolean): void

  /** It ended before `close`. */
  protected abstract lost(reason: string): void

  /** Stops reading: the kernel's buffers fill, then the hub's. */
  pause(): void {
    this.tcp.pause()
  }

  resume(): void {
    this.tcp.resume()
  }

  send(text: string, opcode = TEXT): void {
    const length = Buffer.byteLength(text)
    const head = length < 126 ? 6 : length < 65_536 ? 8 : 14
    // A client masks; with a key of zeros the payload stays as it is.
    const frame = Buffer.alloc(head + length)
    frame[0] = 0x80 | opcode
    if (head === 6) frame[1] = 0x80 | length
    else if (head === 8) {
      frame[1] = 0x80 | 126
      frame.writeUInt16BE(length, 2)
    } else {
      frame[1] = 0x80 | 127
      frame.writeBigUInt64BE(BigInt(length), 2)
    }
    frame.write(text, head)
    this.tcp.write(frame)
  }

  close(): void {
    this.isClosed = true
    this.tcp.destroy()
  }

  /** Tells it as lost, once. */
  protected end(reason: string): void {
    if (this.isClosed) return
    this.close()
    this.lost(reason)
  }

  private read(buffer: Buffer, length: number): boolean {
    const fresh = buffer.subarray(0, length)
    const bytes = this.kept ? Buffer.concat([this.kept, fresh]) : fresh
    let at = this.upgraded ? 0 : this.upgrade(bytes)
    for (let next = at; at >= 0 && (next = this.next(bytes, at)) > at; ) at = next
    // A copy: the buffer is another socket's next.
    this.kept = at >= bytes.length ? undefined : Buffer.from(bytes.subarray(Math.max(0, at)))
    return true
  }

  /** Where the frames begin; -1 while the answer has not come whole. */
  private upgrade(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) return -1
    this.upgraded = true
    if (bytes.toString('latin1', 0, 12) !== 'HTTP/1.1 101') this.end(bytes.toString('utf8', 0, 200))
    else this.opened()
    return end + 4
  }

  /** Behind the frame that begins there; the same place when it is not whole. */
  private next(bytes: Buffer, at: number): number {
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
    const first = bytes[at]!
    if ((first & 0x0f) === CLOSE) this.end('the server closed it')
    else if ((first & 0x0f) !== PING) this.frame(bytes, from, from + length, (first & 0x40) !== 0)
    return from + length
  }
}
