/** Socket.IO over a WebSocket, as little of it as subscribing and listening takes: of a hub, and of a stock server that knows `subscribe`. */
import { LeanWebSocket } from './webSocket.js'

const PING = 0x32
const OPEN = 0x30
const MESSAGE = 0x34
const [CONNECTED, EVENT, ANSWER] = [0x30, 0x32, 0x33]

export interface SocketioOptions {
  /** `http://host:port` */
  url: string
  token?: string
  /** What `subscribe` is said with, each a subscription of its own. */
  subscribe: readonly object[]
  headers?: readonly string[]
  /** An event's packet stands in `bytes` from `from` to `to`, `42[` included; it is gone after the call. */
  onEvent?: (bytes: Buffer, from: number, to: number) => void
  /** It ended before `close`. */
  onLost?: (reason: string) => void
}

export class SocketioSocket extends LeanWebSocket {
  private answers = 0
  private settle?: { resolve: () => void; reject: (error: Error) => void }

  private constructor(private readonly options: SocketioOptions) {
    super({ url: options.url, path: '/socket.io/?EIO=4&transport=websocket', headers: options.headers })
  }

  /** Resolves when all its subscriptions were answered; rejects when one was refused. */
  static open(options: SocketioOptions): Promise<SocketioSocket> {
    return new Promise((resolve, reject) => {
      const socket = new SocketioSocket(options)
      socket.settle = { resolve: () => resolve(socket), reject }
    })
  }

  protected override frame(bytes: Buffer, from: number, to: number): void {
    const kind = bytes[from]
    if (kind === MESSAGE) {
      const type = bytes[from + 1]
      if (type === EVENT) this.options.onEvent?.(bytes, from, to)
      else if (type === ANSWER) this.answered(bytes.toString('utf8', from, to))
      else if (type === CONNECTED) this.subscribe()
      else this.end(bytes.toString('utf8', from, Math.min(to, from + 200)))
    } else if (kind === PING) this.send('3')
    else if (kind === OPEN) this.send(`40${JSON.stringify({ token: this.options.token })}`)
  }

  protected override lost(reason: string): void {
    this.settle?.reject(new Error(`a connection ended: ${reason}`))
    this.options.onLost?.(reason)
  }

  private subscribe(): void {
    const { subscribe } = this.options
    for (const [place, asked] of subscribe.entries()) this.send(`42${place}${JSON.stringify(['subscribe', asked])}`)
    if (subscribe.length === 0) this.settle?.resolve()
  }

  private answered(packet: string): void {
    if (!packet.includes('"ok":true')) this.end(packet.slice(0, 200))
    else if (++this.answers === this.options.subscribe.length) this.settle?.resolve()
  }
}

/** Opens them `together` at a time: a storm is not what is measured. */
export async function openAll<Options, Opened>(all: readonly Options[], open: (options: Options) => Promise<Opened>, together = 64): Promise<Opened[]> {
  const sockets: Opened[] = []
  for (let at = 0; at < all.length; at += together) sockets.push(...(await Promise.all(all.slice(at, at + together).map(open))))
  return sockets
}
