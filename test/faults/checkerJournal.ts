/**
 * The truth about one project: what the raw reader found in Redis' journal, in order, and what Redis lost of it. Entries have an index;
 * a loss cuts the newest off, and their indices are used again. Of the past it keeps what some subscriber has not passed yet, and the last 131,072.
 */
import type { Mark } from './observer.js'
import type { Place } from './checkerPlaces.js'

/** A test's globals are looked up anew each time: some 100 ns that calls by the million cannot spare. */
const { floor, min } = Math
const UNKNOWN = Infinity

const SHIFT = 13
const SIZE = 2 ** SHIFT
const KEPT = 2 ** 17

interface Chunk {
  marks: Float64Array
  places: Float64Array
  /** 1: at least one subscriber was given it. */
  given: Uint8Array
}

/**
 * What stood behind `behind` was lost, and the new branch begins at `resumes`. Places between the two are of the lost branch and of nothing
 * else: offsets carry the store's clock, which a failover does not set back.
 */
export interface Loss {
  behind: Place
  resumes: Place
}

export class Journal {
  /** Index of the oldest entry that is remembered. */
  first = 0
  /** Index of the next entry. */
  end = 0
  /** Place up to which the raw reader told everything; the hub's own events, too. */
  frontier: Place = 0
  /** What stood up to here may be gone, for retention's sake. */
  floor: Place = 0
  readonly losses: Loss[] = []
  private readonly chunks: Chunk[] = []

  constructor(readonly project: string, readonly number: number) {}

  /** The raw reader came to this place. */
  reach(place: Place): void {
    this.frontier = place
    const { losses } = this
    // The reader may have been told of a loss before it had read all that is left.
    for (let at = losses.length - 1; at >= 0 && losses[at]!.resumes === UNKNOWN; at--) if (place > losses[at]!.behind) losses[at]!.resumes = place
  }

  append(mark: Mark, place: Place): void {
    const at = this.end & (SIZE - 1)
    if (at === 0) this.chunks.push({ marks: new Float64Array(SIZE), places: new Float64Array(SIZE), given: new Uint8Array(SIZE) })
    const chunk = this.chunks[(this.end - this.first) >> SHIFT]!
    chunk.marks[at] = mark
    chunk.places[at] = place
    this.end++
  }

  markAt(index: number): Mark {
    return this.chunks[(index - this.first) >> SHIFT]!.marks[index & (SIZE - 1)]!
  }

  placeAt(index: number): Place {
    return this.chunks[(index - this.first) >> SHIFT]!.places[index & (SIZE - 1)]!
  }

  give(index: number): void {
    this.chunks[(index - this.first) >> SHIFT]!.given[index & (SIZE - 1)] = 1
  }

  isGiven(index: number): boolean {
    return this.chunks[(index - this.first) >> SHIFT]!.given[index & (SIZE - 1)] === 1
  }

  /** Of the first entry behind the place; `end` when there is none. */
  indexBehind(place: Place): number {
    let low = this.first
    let high = this.end
    while (low < high) {
      const middle = floor((low + high) / 2)
      if (this.placeAt(middle) > place) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Of the entry at the place; -1 when none stands there. */
  indexOf(place: Place): number {
    const index = this.indexBehind(place) - 1
    return index >= this.first && this.placeAt(index) === place ? index : -1
  }

  /** The number of the loss that took the place; -1 when none did, or it is not known yet where the new branch begins. */
  lossOf(place: Place): number {
    for (let at = this.losses.length - 1; at >= 0; at--) {
      const { behind, resumes } = this.losses[at]!
      if (place > behind && place < resumes && resumes !== UNKNOWN) return at
    }
    return -1
  }

  /** Nothing more will be told: a branch that has not begun has no entries. */
  close(): void {
    for (const loss of this.losses) loss.resumes = min(loss.resumes, Number.MAX_VALUE)
  }

  /** Cuts off what was lost; answers the index behind the last entry that is left. `whoseLost` gets every mark, the oldest first. */
  lose(behind: Place, whoseLost: (mark: Mark) => void): number {
    const cut = this.indexBehind(behind)
    for (let index = cut; index < this.end; index++) whoseLost(this.markAt(index))
    this.end = cut
    this.chunks.length = Math.ceil((cut - this.first) / SIZE)
    this.chunks.at(-1)?.given.fill(0, cut & (SIZE - 1) || SIZE)
    this.frontier = min(this.frontier, behind)
    this.losses.push({ behind, resumes: UNKNOWN })
    return cut
  }

  /** Forgets whole chunks below the index, but for those that a loss may still take. */
  release(below: number): void {
    const least = min(below, this.end - KEPT)
    while (this.first + SIZE <= least) {
      this.chunks.shift()
      this.first += SIZE
    }
  }
}
