import { compareOffsets, type Offset } from '@hubbub/protocol'
import { topicKey } from '../store/port.js'
import type { TailEntry } from './entry.js'

/**
 * Recent entries of a partition, indexed by topic: what a connection that fell a little behind reads instead of the store.
 * Bounded by count and bytes. Entries are numbered without gaps, so that an index is a list of numbers.
 */
export class Window {
  private entries: TailEntry[] = []
  /** Number of `entries[0]`. */
  private first = 0
  private bytes = 0
  private readonly topics = new Map<string, number[]>()

  /** @param floor everything behind it is here (until entries fall out); everything at or before it is not */
  constructor(private floorOffset: Offset, private readonly maxEntries: number, private readonly maxBytes: number) {}

  /** The window holds every entry behind this offset. */
  get floor(): Offset {
    return this.floorOffset
  }

  get size(): number {
    return this.entries.length
  }

  covers(after: Offset): boolean {
    return compareOffsets(after, this.floorOffset) >= 0
  }

  push(entry: TailEntry): void {
    const number = this.first + this.entries.length
    this.entries.push(entry)
    this.bytes += entry.size
    for (const topic of entry.event.topics) {
      const key = topicKey(entry.event.project, topic)
      const numbers = this.topics.get(key)
      if (numbers) numbers.push(number)
      else this.topics.set(key, [number])
    }
  }

  /** Lets the oldest fall out, in blocks: shifting a large array once an entry would cost more than it saves. */
  trim(): void {
    const excess = this.entries.length - this.maxEntries
    let drop = excess > this.maxEntries / 8 ? excess : 0
    let bytes = this.bytes
    for (let i = 0; i < drop; i++) bytes -= this.entries[i]!.size
    if (bytes > this.maxBytes) {
      while (drop < this.entries.length && bytes > (this.maxBytes * 7) / 8) bytes -= this.entries[drop++]!.size
    }
    if (drop > 0) this.drop(drop, bytes)
  }

  clear(floor: Offset): void {
    this.first += this.entries.length
    this.entries = []
    this.bytes = 0
    this.topics.clear()
    this.floorOffset = floor
  }

  /** Entries behind `after`, oldest first, only those that carry one of the keys (all, when `keys` is undefined), at most `count`. */
  read(after: Offset, keys: readonly string[] | undefined, count: number): TailEntry[] {
    const start = this.first + this.indexBehind(after)
    if (!keys) return this.entries.slice(start - this.first, start - this.first + count)
    const numbers = new Set<number>()
    for (const key of keys) {
      const list = this.topics.get(key)
      if (list) for (let i = lowerBound(list, start); i < list.length; i++) numbers.add(list[i]!)
    }
    return [...numbers]
      .sort((a, b) => a - b)
      .slice(0, count)
      .map((number) => this.entries[number - this.first]!)
  }

  private drop(count: number, bytes: number): void {
    this.floorOffset = this.entries[count - 1]!.offset
    const dropped = this.entries.splice(0, count)
    this.first += count
    this.bytes = bytes
    for (const key of new Set(dropped.flatMap((entry) => entry.event.topics.map((topic) => topicKey(entry.event.project, topic))))) {
      const numbers = this.topics.get(key)
      if (!numbers) continue
      numbers.splice(0, lowerBound(numbers, this.first))
      if (numbers.length === 0) this.topics.delete(key)
    }
  }

  private indexBehind(after: Offset): number {
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareOffsets(this.entries[middle]!.offset, after) > 0) high = middle
      else low = middle + 1
    }
    return low
  }
}

function lowerBound(numbers: readonly number[], at: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numbers[middle]! < at) low = middle + 1
    else high = middle
  }
  return low
}
