/** NATS over a WebSocket: its lines in frames, cut wherever the server likes. */
import { LeanWebSocket } from './webSocket.js'

const LF = 0x0a
const [M, P, I, SPACE] = [0x4d, 0x50, 0x49, 0x20]

export interface NatsOptions {
  /** `http://host:port` */
  url: string
  subjects: readonly string[]
  /** A message's payload. */
  onEvent?: (bytes: Buffer, from: number, to: number) => void
  onLost?: (reason: string) => void
}

export class NatsSocket extends LeanWebSocket {
  private rest: Buffer | undefined
  private begun = false
  private settle?: { resolve: () => void; reject: (error: Error) => void }

  private constructor(private readonly options: NatsOptions) {
    super({ url: options.url, path: '/' })
  }

  static open(options: NatsOptions): Promise<NatsSocket> {
    return new Promise((resolve, reject) => {
      const socket = new NatsSocket(options)
      socket.settle = { resolve: () => resolve(socket), reject }
    })
  }

  protected override frame(fresh: Buffer, from: number, to: number): void {
    const isWhole = this.rest === undefined
    const bytes = isWhole ? fresh : Buffer.concat([this.rest!, fresh.subarray(from, to)])
    const end = isWhole ? to : bytes.length
    let at = isWhole ? from : 0
    for (let next = at; (next = this.line(bytes, at, end)) > at; ) at = next
    this.rest = at < end ? Buffer.from(bytes.subarray(at, end)) : undefined
  }

  protected override lost(reason: string): void {
    this.settle?.reject(new Error(`a connection ended: ${reason}`))
    this.options.onLost?.(reason)
  }

  /** Behind the line, and its payload, that begins there; the same place when it is not whole. */
  private line(bytes: Buffer, at: number, end: number): number {
    const feed = bytes.indexOf(LF, at)
    if (feed < 0 || feed >= end) return at
    const kind = bytes[at]
    if (kind === M) {
      // MSG <subject> <sid> <bytes>: the number stands last.
      let length = 0
      for (let place = feed - 2, unit = 1; bytes[place] !== SPACE; place--, unit *= 10) length += (bytes[place]! - 0x30) * unit
      const behind = feed + 1 + length + 2
      if (behind > end) return at
      this.options.onEvent?.(bytes, feed + 1, feed + 1 + length)
      return behind
    }
    if (kind === I) this.begun ||= this.begin()
    else if (kind === P) this.pinged(bytes[at + 1] === I)
    else this.end(bytes.toString('utf8', at, Math.min(feed, at + 200)))
    return feed + 1
  }

  private begin(): true {
    const subscriptions = this.options.subjects.map((subject, place) => `SUB ${subject} ${place + 1}\r\n`)
    this.send(`CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1"}\r\n${subscriptions.join('')}PING\r\n`)
    return true
  }

  private pinged(isPing: boolean): void {
    if (isPing) this.send('PONG\r\n')
    else this.settle?.resolve()
  }
}
