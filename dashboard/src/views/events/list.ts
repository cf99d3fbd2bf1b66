/**
 * The lines that are seen, and those that wait while the list is held. Held, nothing in it moves, and nothing is lost without a word: what
 * waits is shown when it goes on, and what was too much to wait stands there as one line that says how much it was, and from where it can
 * be read again.
 */
import type { Cursor, Gap, HubEvent } from '@hubbub/client'
import { mentions } from './look'
import { timeOf, type Placed } from './page'
import { MOST_LINES, MOST_WEIGHT, Roll, type EventLine, type Line } from './roll'

/** `paused` by a button, `read` by somebody who scrolled. */
export type Held = 'paused' | 'read' | undefined

export class List {
  held: Held
  /** Events that came while it was held. */
  came = 0
  readonly #roll = new Roll()
  /** Less than the list takes: what was seen, and the line that says what was skipped, must be in it still when this has joined it. */
  readonly #waiting = new Roll(MOST_LINES - MOST_LINES / 5, MOST_WEIGHT / 2)
  /** Of `came`, those that are no longer kept, and where the list stood then. */
  #lost = 0
  #stood: Cursor | undefined
  #needle = ''
  #found: Line[] = []
  #seq = 0

  get kept(): number {
    return this.#roll.length
  }

  get last(): Line | undefined {
    return this.#roll.last
  }

  /** Those that the search finds. A list of its own each time. */
  lines(): Line[] {
    return this.#needle === '' ? this.#roll.lines() : [...this.#found]
  }

  events(holds: (event: HubEvent) => boolean): EventLine[] {
    return this.#roll.lines().filter((line): line is EventLine => line.kind === 'event' && holds(line.event))
  }

  search(text: string): void {
    this.#needle = text.trim().toLowerCase()
    this.#found = this.#needle === '' ? [] : this.#roll.lines().filter((line) => this.#isFound(line))
  }

  add(placed: Placed, at: number): void {
    this.#add({ kind: 'event', seq: 0, at, ...placed })
  }

  addGap(gap: Gap): void {
    this.#add({ kind: 'gap', seq: 0, at: timeOf(gap.to) ?? Date.now(), gap })
  }

  hold(why: 'paused' | 'read'): void {
    if (this.held !== 'paused') this.held = why
  }

  release(): void {
    if (!this.held) return
    this.held = undefined
    if (this.#lost > 0) this.#push({ kind: 'skipped', seq: 0, at: this.#roll.last?.at ?? Date.now(), count: this.#lost, from: this.#stood })
    for (const line of this.#waiting.lines()) this.#push(line)
    this.#forget()
  }

  clear(): void {
    this.held = undefined
    this.#roll.clear()
    this.#found = []
    this.#forget()
  }

  #add(line: Line): void {
    if (!this.held) return this.#push(line)
    if (this.came++ === 0) this.#stood = cursorOf(this.#roll.last)
    this.#lost += this.#waiting.push(line)
  }

  #push(line: Line): void {
    const placed = { ...line, seq: ++this.#seq }
    const dropped = this.#roll.push(placed)
    if (this.#needle === '') return
    if (this.#isFound(placed)) this.#found.push(placed)
    const first = this.#roll.first!.seq
    if (dropped > 0 && this.#found[0] && this.#found[0].seq < first) this.#found = this.#found.filter(({ seq }) => seq >= first)
  }

  #isFound(line: Line): boolean {
    return line.kind !== 'event' || mentions(line.event, this.#needle)
  }

  #forget(): void {
    this.#waiting.clear()
    this.came = this.#lost = 0
  }
}

function cursorOf(line: Line | undefined): Cursor | undefined {
  return line?.kind === 'event' ? line.cursor : line?.kind === 'gap' ? line.gap.to : undefined
}
