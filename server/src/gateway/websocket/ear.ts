/**
 * Hears a client no faster than it takes its answers (I7): of one that asks and does not read, the hub would hold all that it asked for.
 * It is not refused: its socket is not read meanwhile, and TCP has it wait.
 */
import type { RawData, WebSocket } from 'ws'
import type { Outlet } from '../../fanout/session.js'

/** Messages of one client that are worked on at a time. */
const MOST_PENDING = 64

export class Ear {
  /** What the socket had read already when it was held: no more than one read of it. */
  private readonly queue: [RawData, boolean][] = []
  private pending = 0
  private draining = false

  /** @param hear resolves when the message is answered; never rejects */
  constructor(private readonly socket: WebSocket, private readonly outlet: Pick<Outlet, 'waiting' | 'drained'>, private readonly slowBytes: number, private readonly hear: (data: RawData, isBinary: boolean) => Promise<void>) {
    socket.on('message', (data, isBinary) => {
      this.queue.push([data, isBinary])
      this.next()
    })
  }

  /** The silence is of our making. */
  get isHeld(): boolean {
    return this.queue.length > 0
  }

  private next(): void {
    while (this.queue.length > 0 && !this.isFull()) {
      const [data, isBinary] = this.queue.shift()!
      this.pending++
      void this.hear(data, isBinary).finally(() => {
        this.pending--
        this.next()
      })
    }
    if (this.isHeld === this.socket.isPaused) return
    if (this.isHeld) this.socket.pause()
    else this.socket.resume()
  }

  private isFull(): boolean {
    if (this.outlet.waiting().bytes >= this.slowBytes) this.awaitDrain()
    return this.draining || this.pending >= MOST_PENDING
  }

  private awaitDrain(): void {
    if (this.draining) return
    this.draining = true
    void this.outlet.drained().then(() => {
      this.draining = false
      this.next()
    })
  }
}
