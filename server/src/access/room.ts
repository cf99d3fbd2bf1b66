/**
 * Room in a process's memory for what it holds on behalf of many: of projects that wait for the store, of clients whose requests arrive.
 * A key may hold as much as is free besides: alone half of all, two a third each, and whoever comes next always finds room. A fixed share
 * would be used up by two floods.
 */
export interface Holding {
  count: number
  bytes: number
}

export class Room {
  private readonly total: Holding = { count: 0, bytes: 0 }
  private readonly held = new Map<string, Holding>()

  constructor(private readonly most: Readonly<Holding>) {}

  /** Whether there is room for one more thing of so many bytes; then it is taken, until `leave`. */
  enter(key: string, bytes: number): boolean {
    const own = this.held.get(key) ?? { count: 0, bytes: 0 }
    if (own.count >= this.most.count - this.total.count || own.bytes + bytes > this.most.bytes - this.total.bytes) return false
    this.held.set(key, own)
    add(own, 1, bytes)
    add(this.total, 1, bytes)
    return true
  }

  /** @param count things that came in, with so many bytes together */
  leave(key: string, bytes: number, count = 1): void {
    const own = this.held.get(key)
    if (!own) return
    add(own, -count, -bytes)
    add(this.total, -count, -bytes)
    if (own.count === 0) this.held.delete(key)
  }
}

function add(holding: Holding, count: number, bytes: number): void {
  holding.count += count
  holding.bytes += bytes
}
