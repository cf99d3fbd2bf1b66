/** What one producer handed in, and what became of each: committed once (I3), answered truly (I4), or kept out (I5). A few bytes an event. */
import { markOf, type Mark } from './observer.js'
import type { Findings } from './checkerFindings.js'
import type { Journal } from './checkerJournal.js'
import type { Place } from './checkerPlaces.js'

const SHIFT = 12
const SIZE = 2 ** SHIFT

const PUBLISHED = 1
const FORBIDDEN = 2
const ACKED = 4
const COMMITTED = 8
const REFUSED = 16
/** It stood in the journal, and Redis lost it: it may come to stand there again. */
const LOST = 32
/** Nothing more is expected of it. */
const FINAL = 64

interface Chunk {
  flags: Uint8Array
  /** Faults during which it was published, acknowledged or delivered: a bit for each kind. */
  during: Uint16Array
  /** Where it was committed or, before that is known, where its acknowledgement says so. Gone once all of the chunk is final. */
  places?: Float64Array
  open: number
}

export class Producer {
  /** Handed in; the next one's number. */
  count = 0
  /** Handed in, and neither final nor forbidden. */
  open = 0
  acked = 0
  private lastCommitted = -1
  private readonly chunks: Chunk[] = []
  /** Chunks before it are all final. */
  private firstOpen = 0

  constructor(private readonly number: number, readonly journal: Journal, readonly isAnswered: boolean, private readonly findings: Findings) {}

  handIn(number: number, isForbidden: boolean, faults: number): void {
    const flag = isForbidden ? FORBIDDEN : PUBLISHED
    if (number === this.count) this.grow()
    else if (number !== this.count - 1 || this.flagsOf(number) & flag) throw new Error(`producer ${this.number} hands in ${number} where ${this.count} is next`)
    const chunk = this.chunks[number >> SHIFT]!
    const at = number & (SIZE - 1)
    chunk.flags[at]! |= flag
    chunk.during[at]! |= faults
    if (isForbidden) this.settle(chunk, at)
  }

  /** @param head where the journal ended when the answer had come */
  ack(number: number, place: Place, head: Place): void {
    const chunk = this.chunkOf(number)
    const at = number & (SIZE - 1)
    const flags = chunk?.flags[at] ?? 0
    const mark = markOf(this.number, number)
    if (!chunk || flags === 0) return this.violate('I4', `${this.name(mark)} is acknowledged, and nobody handed it in`, mark)
    if (flags & FORBIDDEN) this.violate('I5', `${this.name(mark)} is acknowledged, and was to be refused`, mark)
    if (flags & REFUSED) this.violate('I4', `${this.name(mark)} is acknowledged after it was finally refused`, mark)
    if (place > head) this.judgeEarly(mark, place, head)
    if (!(flags & ACKED)) this.acked++
    chunk.flags[at]! |= ACKED
    if (chunk.places && (flags & (ACKED | COMMITTED)) !== 0 && !(flags & LOST)) this.compare(mark, place, chunk.places[at]!)
    else if (chunk.places && !(flags & COMMITTED)) chunk.places[at] = place
    this.settle(chunk, at)
  }

  refuse(number: number): void {
    const chunk = this.chunkOf(number)
    const at = number & (SIZE - 1)
    const mark = markOf(this.number, number)
    const flags = chunk?.flags[at] ?? 0
    if (!chunk || flags === 0) return
    if (flags & COMMITTED) this.doubtRefusal(mark, chunk.places?.[at] ?? 0)
    if (flags & ACKED) this.violate('I4', `${this.name(mark)} is finally refused after it was acknowledged`, mark)
    chunk.flags[at] = flags | REFUSED
    this.settle(chunk, at)
  }

  /** Only of what it handed in. */
  commit(number: number, place: Place): void {
    const chunk = this.chunkOf(number)
    const at = number & (SIZE - 1)
    const flags = chunk?.flags[at] ?? 0
    const mark = markOf(this.number, number)
    if (!chunk) return
    if (flags & FORBIDDEN) this.violate('I5', `${this.name(mark)} is committed, and was to be refused`, mark)
    if (flags & REFUSED) this.doubtRefusal(mark, place)
    if (flags & COMMITTED) return this.violate('I3', `${this.name(mark)} is committed twice, now at ${this.findings.places.text(place)}`, mark)
    if (number < this.lastCommitted) this.violate('I3', `${this.name(mark)} is committed after ${this.lastCommitted} of the same producer`, mark)
    else this.lastCommitted = number
    chunk.flags[at]! |= COMMITTED
    if (chunk.places) {
      if (flags & ACKED && !(flags & LOST)) this.compare(mark, chunk.places[at]!, place)
      chunk.places[at] = place
    }
    this.settle(chunk, at)
  }

  /** Redis lost its commit. Marks come in the journal's order. */
  lose(number: number): void {
    const chunk = this.chunkOf(number)
    if (!chunk) return
    const at = number & (SIZE - 1)
    chunk.flags[at] = (chunk.flags[at]! | LOST) & ~COMMITTED
    this.lastCommitted = Math.min(this.lastCommitted, number - 1)
    this.settle(chunk, at)
  }

  /** Of a writer that nobody answers: what was under way when Redis lost writes may be lost, too, before the raw reader saw it. */
  loseOpen(): void {
    if (this.isAnswered) return
    for (const [chunk, number] of this.unfinished()) {
      chunk.flags[number & (SIZE - 1)]! |= LOST
      this.settle(chunk, number & (SIZE - 1))
    }
  }

  touch(number: number, faults: number): void {
    const chunk = this.chunkOf(number)
    if (chunk) chunk.during[number & (SIZE - 1)]! |= faults
  }

  duringOf(number: number): number {
    return this.chunkOf(number)?.during[number & (SIZE - 1)] ?? 0
  }

  isForbidden(number: number): boolean {
    return (this.flagsOf(number) & FORBIDDEN) !== 0
  }

  /** Whether it was ever handed in. */
  knows(number: number): boolean {
    return number < this.count
  }

  /**
   * Looks at what was acknowledged and did not come, though the raw reader is past the place: lost, or never committed (I4).
   * `isLast`: what is still open then will never come.
   */
  judgeOpen(isLast: boolean): void {
    for (const [chunk, number] of this.unfinished()) this.judge(number, chunk, number & (SIZE - 1), isLast)
  }

  private *unfinished(): Generator<[Chunk, number]> {
    if (this.open === 0) return
    for (; this.chunks[this.firstOpen]?.open === 0; this.firstOpen++);
    for (let number = this.firstOpen * SIZE; number < this.count; number++) {
      const chunk = this.chunks[number >> SHIFT]!
      if (!(chunk.flags[number & (SIZE - 1)]! & FINAL)) yield [chunk, number]
    }
  }

  private judge(number: number, chunk: Chunk, at: number, isLast: boolean): void {
    const flags = chunk.flags[at]!
    const mark = markOf(this.number, number)
    if (flags & ACKED) {
      const place = chunk.places?.[at] ?? 0
      const isLost = this.journal.lossOf(place) >= 0
      if (!isLost && place > this.journal.frontier && !isLast) return
      if (!isLost) this.violate('I4', `${this.name(mark)} is acknowledged at ${this.findings.places.text(place)}, and was never committed`, mark)
      chunk.flags[at]! |= LOST
      return this.settle(chunk, at)
    }
    if (!isLast) return
    const [invariant, what] = flags & COMMITTED ? (['I4', 'committed, but never answered'] as const) : (['I3', this.isAnswered ? 'neither answered nor committed' : 'never committed'] as const)
    this.violate(invariant, `${this.name(mark)} is ${what}`, mark)
    chunk.flags[at]! |= FINAL
  }

  private settle(chunk: Chunk, at: number): void {
    const flags = chunk.flags[at]!
    const isFinal = flags & (REFUSED | FORBIDDEN) || (this.isAnswered ? flags & ACKED && flags & (COMMITTED | LOST) : flags & (COMMITTED | LOST))
    if (!isFinal || flags & FINAL) return
    chunk.flags[at] = flags | FINAL
    this.open--
    if (--chunk.open === 0) chunk.places = undefined
  }

  private grow(): void {
    if ((this.count & (SIZE - 1)) === 0) this.chunks.push({ flags: new Uint8Array(SIZE), during: new Uint16Array(SIZE), places: new Float64Array(SIZE), open: SIZE })
    this.count++
    this.open++
  }

  /** Of a lost branch it may be, and that may be told later than the answer. */
  private judgeEarly(mark: Mark, place: Place, head: Place): void {
    const { places } = this.findings
    const what = `${this.name(mark)} is acknowledged at ${places.text(place)} when the journal ends at ${places.text(head)}`
    this.findings.doubt('I4', what, { project: this.journal.number, mark }, () => this.journal.lossOf(place) >= 0)
  }

  /** Where an acknowledgement says that it stands, and where it does: of two branches, if one of them is lost. */
  private compare(mark: Mark, acked: Place, committed: Place): void {
    if (acked === committed) return
    const { places } = this.findings
    const what = `${this.name(mark)} is acknowledged at ${places.text(acked)}, and stands at ${places.text(committed)}`
    this.findings.doubt('I4', what, { project: this.journal.number, mark }, () => this.journal.lossOf(acked) >= 0 || this.journal.lossOf(committed) >= 0)
  }

  private doubtRefusal(mark: Mark, place: Place): void {
    const what = `${this.name(mark)} is finally refused, and stands in the journal at ${this.findings.places.text(place)}`
    this.findings.doubt('I5', what, { project: this.journal.number, mark }, () => this.journal.lossOf(place) >= 0)
  }

  private flagsOf(number: number): number {
    return this.chunkOf(number)?.flags[number & (SIZE - 1)] ?? 0
  }

  private chunkOf(number: number): Chunk | undefined {
    return number < this.count ? this.chunks[number >> SHIFT] : undefined
  }

  private name(mark: Mark): string {
    return this.findings.event(mark)
  }

  private violate(invariant: 'I3' | 'I4' | 'I5', what: string, mark: Mark): void {
    this.findings.violate(invariant, what, { project: this.journal.number, mark })
  }
}
