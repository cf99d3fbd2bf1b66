import type { Point } from '../../parts/Chart'

const MOST = 600

/** Figures over time, so many at most: of the older half every second one goes when there is no more room. What is equal to its neighbours is not kept. */
export class Track {
  #points: Point[] = []
  #shown: readonly Point[] | undefined

  add(at: number, value: unknown): void {
    if (typeof value !== 'number' || !Number.isFinite(value)) return
    const [before, last] = this.#points.slice(-2)
    this.#shown = undefined
    // A level: its end moves on.
    if (before && last && before.value === value && last.value === value) this.#points.pop()
    this.#points.push({ at: Math.max(at, last?.at ?? at), value })
    if (this.#points.length > MOST) this.#points = this.#points.filter((_, index) => index >= MOST / 2 || index % 2 === 0)
  }

  /** The same list until something is added. */
  get points(): readonly Point[] {
    return (this.#shown ??= [...this.#points])
  }
}

/** The last so many of something; the same list until something is added. */
export class Recent<T> {
  #items: T[] = []
  #shown: readonly T[] | undefined
  #dropped = 0

  constructor(private readonly most: number) {}

  add(item: T): void {
    this.#items.push(item)
    this.#shown = undefined
    if (this.#items.length > this.most * 1.2) this.#dropped += this.#items.splice(0, this.#items.length - this.most).length
  }

  get items(): readonly T[] {
    return (this.#shown ??= [...this.#items])
  }

  /** Older ones that are not kept. */
  get dropped(): number {
    return this.#dropped
  }
}
