import { compareOffsets, type Offset } from '@hubbub/protocol'

/** Entries in offset order that come at the end and go at the beginning; searched by halving. */
export class Log<T> {
  private items: (T | undefined)[] = []
  /** Items before it are gone; the array is cut when they are as many as the rest, so that trimming costs little. */
  private begin = 0

  constructor(private readonly offsetOf: (item: T) => Offset) {}

  get length(): number {
    return this.items.length - this.begin
  }

  get first(): T | undefined {
    return this.items[this.begin]
  }

  push(item: T): void {
    this.items.push(item)
  }

  /** Up to `count` items behind `after`, up to `upTo` if given, oldest first. */
  behind(after: Offset, count: number, upTo?: Offset): T[] {
    const from = this.placeBehind(after)
    const to = upTo === undefined ? this.items.length : this.placeBehind(upTo)
    return this.present(from, Math.max(from, Math.min(to, from + count)))
  }

  /** Up to `count` items up to `upTo`, newest first. */
  newest(upTo: Offset, count: number): T[] {
    const to = this.placeBehind(upTo)
    return this.present(Math.max(this.begin, to - count), to).reverse()
  }

  find(offset: Offset): T | undefined {
    const place = this.placeBehind(offset)
    const item = place > this.begin ? this.items[place - 1] : undefined
    return item !== undefined && this.offsetOf(item) === offset ? item : undefined
  }

  countBehind(after: Offset): number {
    return this.items.length - this.placeBehind(after)
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.items[this.begin]
    this.items[this.begin++] = undefined
    if (this.begin > 64 && this.begin * 2 > this.items.length) {
      this.items = this.items.slice(this.begin)
      this.begin = 0
    }
    return item
  }

  dropUpTo(offset: Offset): void {
    while (this.length > 0 && compareOffsets(this.offsetOf(this.first!), offset) <= 0) this.shift()
  }

  remove(offset: Offset): boolean {
    if (this.find(offset) === undefined) return false
    this.items.splice(this.placeBehind(offset) - 1, 1)
    return true
  }

  private present(from: number, to: number): T[] {
    return this.items.slice(from, to) as T[]
  }

  /** Index of the first item behind `after`. */
  private placeBehind(after: Offset): number {
    let low = this.begin
    let high = this.items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareOffsets(this.offsetOf(this.items[middle]!), after) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Gives offsets that only grow, also when the clock steps back. */
export class OffsetClock {
  private ms = 0
  private seq = 0

  next(): Offset {
    const now = Date.now()
    if (now > this.ms) {
      this.ms = now
      this.seq = 0
    } else {
      this.seq++
    }
    return `${this.ms}-${this.seq}`
  }
}
