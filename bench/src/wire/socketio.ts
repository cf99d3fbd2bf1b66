/** Socket.IO over a WebSocket, as little of it as subscribing and listening takes: of a hub, and of a stock server that knows `subscribe`. */
import { LeanWebSocket } from './webSocket.js'

const PING = 0x32
const OPEN = 0x30
const MESSAGE = 0x34
const [CONNECTED, EVENT, ANSWER] = [0x30, 0x32, 0x33]
/** Longer than an offset with its quotes and bracket. */
const OFFSET_MOST = 80

export interface Place {
  pid: string
  offset: string
}

export interface SocketioOptions {
  /** `http://host:port` */
  url: string
  token?: string
  /** What `subscribe` is said with, each a subscription of its own. */
  subscribe: readonly object[]
  headers?: readonly string[]
  /** Where it stood before: its session, and the last cursor it heard. */
  from?: Place
  /** Whether it may be asked for its place. */
  keepsPlace?: boolean
  /** Further fields of the handshake's `auth`. */
  auth?: object
  /** An event's packet stands in `bytes` from `from` to `to`, `42[` included; it is gone after the call. */
  onEvent?: (bytes: Buffer, from: number, to: number) => void
  /** It ended before `close`. */
  onLost?: (reason: string) => void
}

export class SocketioSocket extends LeanWebSocket {
  private readonly awaited = new Map<number, (answer: string) => void>()
  private asked = 0
  private pid = ''
  /** The last message that can have told it. */
  private last?: Buffer
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

  /** Where it stands, to come back to; undefined when it heard nothing that tells. */
  get place(): Place | undefined {
    const end = this.last?.lastIndexOf('"') ?? -1
    return end < 0 ? undefined : { pid: this.pid, offset: this.last!.toString('latin1', this.last!.lastIndexOf('"', end - 1) + 1, end) }
  }

  /** Its first argument's answer, as JSON. */
  ask(event: string, asked: object): Promise<string> {
    const id = this.asked++
    this.send(`42${id}${JSON.stringify([event, asked])}`)
    return new Promise((resolve) => this.awaited.set(id, resolve))
  }

  protected override frame(bytes: Buffer, from: number, to: number, compressed: boolean): void {
    // Answers are too short to be.
    if (compressed) return this.options.onEvent?.(bytes, from, to)
    const kind = bytes[from]
    if (kind === MESSAGE) {
      const type = bytes[from + 1]
      if (type === EVENT) {
        // Its end only: an offset is short, and every event brings one.
        if (this.options.keepsPlace) this.last = Buffer.from(bytes.subarray(Math.max(from, to - OFFSET_MOST), to))
        this.options.onEvent?.(bytes, from, to)
      } else if (type === ANSWER) this.answered(bytes.toString('utf8', from, to))
      else if (type === CONNECTED) this.connected(bytes.toString('utf8', from + 2, to))
      else this.end(bytes.toString('utf8', from, Math.min(to, from + 200)))
    } else if (kind === PING) this.send('3')
    else if (kind === OPEN) this.send(`40${JSON.stringify({ token: this.options.token, ...this.options.auth, ...this.options.from })}`)
  }

  protected override lost(reason: string): void {
    this.settle?.reject(new Error(`a connection ended: ${reason}`))
    this.options.onLost?.(reason)
  }

  private connected(text: string): void {
    const { pid = '' } = JSON.parse(text) as { pid?: string }
    const { from, subscribe } = this.options
    this.pid = pid
    // Recovered, it is subscribed already.
    if (from && pid === from.pid) return this.settle?.resolve()
    if (from) return this.end('not recovered')
    const answers = subscribe.map((asked) => this.ask('subscribe', asked))
    void Promise.all(answers).then((all) => {
      const refused = all.find((answer) => !answer.includes('"ok":true'))
      if (refused === undefined) this.settle?.resolve()
      else this.end(refused.slice(0, 200))
    })
  }

  private answered(packet: string): void {
    const id = Number.parseInt(packet.slice(2), 10)
    const settle = this.awaited.get(id)
    this.awaited.delete(id)
    settle?.(packet.slice(packet.indexOf('[') + 1, -1))
  }
}

/** Opens them `together` at a time: a storm is not what is measured. */
export async function openAll<Options, Opened>(all: readonly Options[], open: (options: Options) => Promise<Opened>, together = 64): Promise<Opened[]> {
  const sockets: Opened[] = []
  for (let at = 0; at < all.length; at += together) sockets.push(...(await Promise.all(all.slice(at, at + together).map(open))))
  return sockets
}
