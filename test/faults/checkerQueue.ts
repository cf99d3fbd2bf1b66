/** What a subscriber was given before the raw reader came to it: pairs of numbers, first in, first out, 16 bytes each. */
export class Queue {
  length = 0
  private pairs = new Float64Array(64)
  private first = 0

  push(mark: number, place: number): void {
    if (this.length * 2 === this.pairs.length) this.resize(this.pairs.length * 2)
    const at = ((this.first + this.length) * 2) % this.pairs.length
    this.pairs[at] = mark
    this.pairs[at + 1] = place
    this.length++
  }

  get mark(): number {
    return this.pairs[this.first * 2]!
  }

  get place(): number {
    return this.pairs[this.first * 2 + 1]!
  }

  shift(): void {
    this.first = (this.first + 1) % (this.pairs.length / 2)
    // What an outage filled is given back.
    if (--this.length === 0 && this.pairs.length > 4096) {
      this.pairs = new Float64Array(64)
      this.first = 0
    }
  }

  private resize(size: number): void {
    const pairs = new Float64Array(size)
    const start = this.first * 2
    pairs.set(this.pairs.subarray(start))
    pairs.set(this.pairs.subarray(0, start), this.pairs.length - start)
    this.pairs = pairs
    this.first = 0
  }
}
