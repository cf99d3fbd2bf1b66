/** How many events there were when, as far as the page has seen: of what it has not read it knows nothing, and says so. */

/** One reading: the tail, or a stretch of the past. Two of them may see the same events, which then count once. */
interface Pass {
  from: number
  to: number
  /** By second. */
  counts: Map<number, number>
}

const MOST_PASSES = 8
const MOST_SECONDS = 4000

export class Density {
  #passes: Pass[] = []

  /** Another reading begins, at a time. ms */
  begin(from: number): void {
    this.#passes.push({ from, to: from, counts: new Map() })
    if (this.#passes.length > MOST_PASSES) this.#passes.shift()
  }

  add(at: number): void {
    const pass = this.#passes.at(-1)
    if (!pass) return
    const second = Math.floor(at / 1000)
    pass.counts.set(second, (pass.counts.get(second) ?? 0) + 1)
    pass.from = Math.min(pass.from, at)
    pass.to = Math.max(pass.to, at)
    if (pass.counts.size <= MOST_SECONDS) return
    const oldest = pass.counts.keys().next().value!
    pass.counts.delete(oldest)
    pass.from = Math.max(pass.from, (oldest + 1) * 1000)
  }

  /** Everything up to there was read, also where there was nothing. */
  reach(to: number): void {
    const pass = this.#passes.at(-1)
    if (pass) pass.to = Math.max(pass.to, to)
  }

  /** So many bars between two times, the oldest first; null: not read. */
  bars(from: number, to: number, number: number): (number | null)[] {
    const width = Math.max(1, (to - from) / number)
    const bars: (number | null)[] = Array.from({ length: number }, () => null)
    for (const pass of this.#passes) {
      const own = Array.from({ length: number }, () => 0)
      for (const [second, count] of pass.counts) {
        const index = Math.floor((second * 1000 + 500 - from) / width)
        if (index >= 0 && index < number) own[index]! += count
      }
      for (let index = 0; index < number; index++) {
        const isSeen = pass.from < from + (index + 1) * width && pass.to >= from + index * width
        if (isSeen) bars[index] = Math.max(bars[index] ?? 0, own[index]!)
      }
    }
    return bars
  }
}
