/** A WebSocket on which every frame is an event: of the loops with which a hub is compared, and of a peer from the command line. */
import { setTimeout as pause } from 'node:timers/promises'
import { LeanWebSocket } from './webSocket.js'

export interface PlainOptions {
  /** `ws://` or `http://`, with the path. */
  url: string
  /** Frames to send when it is open. */
  subscribe: readonly string[]
  headers?: readonly string[]
  /** Waits for one frame as the answer; else for this long, ms. */
  settle: 'answer' | number
  onEvent?: (bytes: Buffer, from: number, to: number) => void
  onLost?: (reason: string) => void
}

export class PlainSocket extends LeanWebSocket {
  private settle?: { resolve: () => void; reject: (error: Error) => void }

  private constructor(private readonly options: PlainOptions) {
    const { host, pathname, search } = new URL(options.url)
    super({ url: `http://${host}`, path: `${pathname}${search}`, headers: options.headers })
  }

  static open(options: PlainOptions): Promise<PlainSocket> {
    return new Promise((resolve, reject) => {
      const socket = new PlainSocket(options)
      socket.settle = { resolve: () => resolve(socket), reject }
    })
  }

  protected override opened(): void {
    for (const frame of this.options.subscribe) this.send(frame)
    const { settle } = this.options
    if (settle !== 'answer') void pause(settle).then(() => this.settled())
  }

  protected override frame(bytes: Buffer, from: number, to: number): void {
    if (this.settle && this.options.settle === 'answer') this.settled()
    else this.options.onEvent?.(bytes, from, to)
  }

  protected override lost(reason: string): void {
    this.settle?.reject(new Error(`a connection ended: ${reason}`))
    this.options.onLost?.(reason)
  }

  private settled(): void {
    this.settle?.resolve()
    this.settle = undefined
  }
}
