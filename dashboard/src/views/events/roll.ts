/** The lines of the list, the newest last: bounded by number and by weight, for a thousand events may be a thousand large ones. */
import type { Cursor, Gap, HubEvent } from '@hubbub/client'
import { weightOf } from './look'

interface Place {
  /** Rises by one a line. */
  seq: number
  /** When the hub recorded it, ms since the epoch. */
  at: number
}

export type EventLine = Place & { kind: 'event'; event: HubEvent; cursor: Cursor }
export type Line =
  | EventLine
  /** These can no longer be had. */
  | (Place & { kind: 'gap'; gap: Gap })
  /** These came and went while the list stood still; they can be read again behind the cursor. */
  | (Place & { kind: 'skipped'; count: number; from: Cursor | undefined })

export const MOST_LINES = 5000
/** Characters and fields of all events together. */
export const MOST_WEIGHT = 32_000_000

export class Roll {
  #lines: Line[] = []
  #weights: number[] = []
  /** Before it nothing is kept; what is dropped is cut off in portions. */
  #head = 0
  #weight = 0

  constructor(private readonly most = MOST_LINES, private readonly mostWeight = MOST_WEIGHT) {}

  get length(): number {
    return this.#lines.length - this.#head
  }

  get first(): Line | undefined {
    return this.#lines[this.#head]
  }

  get last(): Line | undefined {
    return this.length > 0 ? this.#lines.at(-1) : undefined
  }

  lines(): Line[] {
    return this.#lines.slice(this.#head)
  }

  /** Answers how many of the oldest had to go. The newest stays, however heavy it is. */
  push(line: Line): number {
    const weight = line.kind === 'event' ? weightOf(line.event) : 0
    this.#lines.push(line)
    this.#weights.push(weight)
    this.#weight += weight
    let dropped = 0
    while (this.length > 1 && (this.length > this.most || this.#weight > this.mostWeight)) {
      this.#weight -= this.#weights[this.#head]!
      this.#head++
      dropped++
    }
    if (this.#head > this.most) this.#cut()
    return dropped
  }

  clear(): void {
    this.#lines = []
    this.#weights = []
    this.#head = this.#weight = 0
  }

  #cut(): void {
    this.#lines = this.#lines.slice(this.#head)
    this.#weights = this.#weights.slice(this.#head)
    this.#head = 0
  }
}
