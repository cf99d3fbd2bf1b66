/** One direction of a proxied connection: bytes and their end pass in order, at once or late, and no faster than the receiver takes them. */
import type { Socket } from 'node:net'

/** More than this under way, and the sender waits: a slow line holds no more than its window. */
const UNDER_WAY_BYTES = 4 * 1024 * 1024

/** Why nothing is read: any one of them is enough. */
type Hold = 'paused' | 'receiver' | 'window'

/** `end` travels like bytes, behind those before it. */
type Cargo = Buffer | 'end'

export class Flow {
  private readonly holds = new Set<Hold>()
  private readonly late: { due: number; cargo: Cargo }[] = []
  private bytes = 0
  private timer: NodeJS.Timeout | undefined
  private stopped = false

  /** @param lag ms by which everything comes late; looked at for each piece */
  constructor(private readonly from: Socket, private readonly to: Socket, private readonly lag: { readonly ms: number }) {
    from.on('data', (bytes: Buffer) => this.take(bytes))
    from.on('end', () => this.take('end'))
    to.on('drain', () => this.release('receiver'))
    from.resume()
  }

  /** Pieces that are under way. */
  get underWay(): number {
    return this.late.length
  }

  hold(why: Hold): void {
    this.holds.add(why)
    this.from.pause()
  }

  release(why: Hold): void {
    if (this.holds.delete(why) && this.holds.size === 0 && !this.stopped) this.from.resume()
  }

  /** Nothing reaches the other side any more, not even what is under way. */
  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.late.length = 0
    this.from.pause()
  }

  private take(cargo: Cargo): void {
    if (this.stopped) return
    if (this.lag.ms === 0 && this.late.length === 0) return this.give(cargo)
    // Nothing overtakes what is under way, also when the line has just become faster.
    const due = Math.max(performance.now() + this.lag.ms, this.late.at(-1)?.due ?? 0)
    this.late.push({ due, cargo })
    this.bytes += cargo.length
    if (this.bytes > UNDER_WAY_BYTES) this.hold('window')
    this.timer ??= setTimeout(() => this.arrive(), this.lag.ms)
  }

  private arrive(): void {
    this.timer = undefined
    const now = performance.now()
    let count = 0
    for (; count < this.late.length && this.late[count]!.due <= now + 1; count++) {
      const { cargo } = this.late[count]!
      this.bytes -= cargo.length
      this.give(cargo)
    }
    this.late.splice(0, count)
    if (this.bytes <= UNDER_WAY_BYTES) this.release('window')
    const next = this.late[0]
    if (next) this.timer = setTimeout(() => this.arrive(), Math.max(1, next.due - now))
  }

  private give(cargo: Cargo): void {
    if (cargo === 'end') this.to.end()
    else if (this.to.writable && !this.to.write(cargo)) this.hold('receiver')
  }
}
