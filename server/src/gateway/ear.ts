/**
 * Hears a client no faster than it takes its answers (I7): of one that asks and does not read, the hub would hold all that it asked for.
 * It is not refused: its socket is not read meanwhile, and TCP has it wait.
 */
import type { Outlet } from '../fanout/session.js'

/** What a client's messages come from. */
export interface Source {
  pause(): void
  resume(): void
}

export interface EarOptions {
  source: Source
  outlet: Pick<Outlet, 'waiting' | 'drained'>
  /** Waiting bytes of answers and events at which nothing more is heard. */
  slowBytes: number
  /** Messages of one client that are worked on at a time. */
  mostPending: number
}

export class Ear<M> {
  /** What the socket had read already when it was held: no more than one read of it. */
  private queue: M[] = []
  private pending = 0
  private draining = false
  private paused = false

  /** @param hear resolves when the message is answered; never rejects */
  constructor(private readonly options: EarOptions, private readonly hear: (message: M) => Promise<void>) {}

  take(message: M): void {
    this.queue.push(message)
    this.next()
  }

  /** The connection is over: what waits is not heard any more. */
  close(): void {
    this.queue = []
  }

  /** The silence is of our making. */
  get isHeld(): boolean {
    return this.queue.length > 0
  }

  get waiting(): number {
    return this.queue.length
  }

  private next(): void {
    while (this.queue.length > 0 && !this.isFull()) {
      this.pending++
      void this.hear(this.queue.shift()!).finally(() => {
        this.pending--
        this.next()
      })
    }
    if (this.isHeld === this.paused) return
    this.paused = this.isHeld
    if (this.paused) this.options.source.pause()
    else this.options.source.resume()
  }

  private isFull(): boolean {
    const { outlet, slowBytes, mostPending } = this.options
    if (outlet.waiting().bytes >= slowBytes) this.awaitDrain()
    return this.draining || this.pending >= mostPending
  }

  private awaitDrain(): void {
    if (this.draining) return
    this.draining = true
    void this.options.outlet.drained().then(() => {
      this.draining = false
      this.next()
    })
  }
}
