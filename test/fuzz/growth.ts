/** Memory at each tenth of a run, and behind it. */

/** Of the marks: what still fills up in the first part of a run (caches, compiled code) is none. */
const WARM = 3
/** Beyond what it was when warm. */
const MOST_SHARE = 0.15
const MOST_MB = 10
const TENTHS = 10

export class GrowthRecord {
  private readonly marks: number[] = []

  constructor(readonly what: string) {}

  /** @param megabytes at the next tenth */
  note(megabytes: number): void {
    if (Number.isFinite(megabytes)) this.marks.push(megabytes)
  }

  get isEmpty(): boolean {
    return this.marks.length === 0
  }

  line(): string {
    return `${this.what}: ${this.marks.slice(0, TENTHS).map((mark) => mark.toFixed(1)).join(', ')} MB at each tenth${this.marks.length > TENTHS ? `, ${this.marks.at(-1)!.toFixed(1)} MB at rest` : ''}; bound ${this.bound().toFixed(1)} MB`
  }

  /** In words, when all of the last three marks are above the bound: one may stand in the middle of something. */
  excess(): string | undefined {
    if (this.isEmpty) return undefined
    const last = Math.min(...this.marks.slice(-3))
    return last > this.bound() ? `grew to ${last.toFixed(1)} MB, above ${this.bound().toFixed(1)} MB` : undefined
  }

  private bound(): number {
    const warm = Math.max(...this.marks.slice(0, WARM))
    return warm * (1 + MOST_SHARE) + MOST_MB
  }
}
