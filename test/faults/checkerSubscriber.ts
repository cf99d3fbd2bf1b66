/**
 * One subscriber against the truth of its project: everything that it wants, in order (I1), once (I2), nothing else (I6). It may be ahead of
 * the raw reader; what it was given then waits in a queue, gaps and beginnings between the events.
 *
 * `index` is the next entry of the journal that it has not passed. A loss cuts the journal short: who was given what was lost must be told
 * of one epoch gap before anything of the new branch; who may have heard a later cursor may be told of one.
 */
import { parseCursor, type Gap } from '@hubbub/protocol'
import type { Interest, Mark, Violation } from './observer.js'
import type { Findings } from './checkerFindings.js'
import type { Journal } from './checkerJournal.js'
import type { Place } from './checkerPlaces.js'
import { Queue } from './checkerQueue.js'

const { max, min } = Math

/** What stands in the queue for something else than an event: its mark is `-1 - place in notes`. */
type Note = { kind: 'gap'; gap: Gap; from: Place; to: Place } | { kind: 'began'; behind: Place }

/** So much is held behind a gap for which no cause was told; then it is judged without. */
const MOST_HELD = 500_000
/** Events that were skipped, and may yet come late: of that much each subscriber is remembered. */
const MOST_SKIPPED = 1000

export class Subscriber {
  delivered = 0
  hasBegun = false
  hasLeft = false
  index: number
  readonly queue = new Queue()
  private notes: Note[] = []
  private firstNote = 0
  /** It was given everything that it wants up to here. */
  private position: Place = 0
  private lastDelivered: Place = 0
  /** What it is owed nothing of: where its subscription began. */
  private behind: Place = 0
  /** Losses of which it was told, or that it passed with nothing to be told. */
  private passed = 0
  /** When it last began: a session's record may be lost with what is committed later. */
  private lossesBefore = 0
  /** It was given what was lost since: a gap must come before anything else. */
  private owesGap = false
  /** A gap was told since the last delivery. */
  private isExcused = false
  /** An epoch gap may lead far back, to what is remembered no more. */
  private isBlindBefore: Place = 0
  private readonly skipped = new Map<Mark, Violation | undefined>()

  constructor(readonly number: number, readonly name: string, readonly interest: Interest, readonly journal: Journal, private readonly findings: Findings) {
    this.index = journal.end
  }

  deliver(mark: Mark, place: Place): void {
    this.delivered++
    if (this.queue.length > 0 || this.isAhead(place)) this.queue.push(mark, place)
    else this.judge(mark, place)
    if (this.queue.length > MOST_HELD && this.queue.mark < 0) this.force()
  }

  gap(gap: Gap): void {
    const [from, to] = [parseCursor(gap.from)?.offset, parseCursor(gap.to)?.offset]
    if (to === undefined || from === undefined) return this.violate('I2', `was told of a gap without cursors: ${JSON.stringify(gap)}`)
    this.note({ kind: 'gap', gap, from: this.findings.places.of(from), to: this.findings.places.of(to) })
  }

  begin(behind: Place): void {
    this.note({ kind: 'began', behind })
  }

  /** The journal was cut; what it passed behind the cut is void. */
  lose(behind: Place, cut: number): void {
    this.index = min(this.index, cut)
    this.position = min(this.position, behind)
    if (this.lastDelivered > behind) this.owesGap = true
  }

  /** Judges what the raw reader has come to. `isForced`: it comes no further, and tells of no more causes. */
  drain(isForced = false): void {
    const { queue } = this
    while (queue.length > 0) {
      const { mark, place } = queue
      if (mark >= 0) {
        if (!isForced && this.isAhead(place)) return
        this.judge(mark, place)
      } else {
        if (!this.take(this.notes[-1 - mark - this.firstNote]!, isForced)) return
        this.firstNote++
        this.notes.shift()
      }
      queue.shift()
    }
  }

  /** Goes past what it does not want. True: the next entry is one that it waits for. */
  isWaiting(): boolean {
    const { journal, interest, behind } = this
    if (!this.hasBegun || this.hasLeft) {
      this.index = journal.end
      return false
    }
    while (this.index < journal.end && (journal.placeAt(this.index) <= behind || !interest.wants(journal.markAt(this.index)))) this.index++
    return this.index < journal.end
  }

  get isSettled(): boolean {
    return this.hasLeft || (this.queue.length === 0 && !this.owesGap && !this.isWaiting())
  }

  /** Why it is not settled. */
  outstanding(): string {
    if (this.queue.length > 0) return `${this.name} is ahead of the reader by ${this.queue.length}, first ${this.queue.mark < 0 ? 'a gap or beginning' : this.findings.event(this.queue.mark)}`
    if (this.owesGap) return `${this.name} was not told of what was lost`
    return `${this.name} waits for ${this.findings.event(this.journal.markAt(this.index))} at ${this.findings.places.text(this.journal.placeAt(this.index))}`
  }

  /** The end of the run: what is missing is missing. */
  finish(): void {
    this.drain(true)
    if (this.hasLeft) return
    if (this.owesGap) this.violate('I2', 'was never told of the gap after lost writes')
    while (this.isWaiting()) this.skip(this.index++, 'never came')
  }

  private force(): void {
    const { mark } = this.queue
    this.take(this.notes[-1 - mark - this.firstNote]!, true)
    this.firstNote++
    this.notes.shift()
    this.queue.shift()
    this.drain()
  }

  private note(note: Note): void {
    if (this.queue.length === 0 && this.take(note, false)) return
    this.queue.push(-1 - this.firstNote - this.notes.length, note.kind === 'gap' ? note.to : note.behind)
    this.notes.push(note)
  }

  private isAhead(place: Place): boolean {
    return place > this.journal.frontier && this.journal.lossOf(place) < 0
  }

  private judge(mark: Mark, place: Place): void {
    const { journal } = this
    if (this.hasLeft) return
    if (!this.hasBegun) this.startAt(place - 1)
    this.isExcused = false
    const loss = journal.lossOf(place)
    if (loss >= 0) return this.judgeLost(mark, place, loss)
    if (this.owesGap) {
      this.owesGap = false
      this.violate('I2', `was given ${this.findings.event(mark)} of the new branch without being told of the gap after lost writes`, mark)
    }
    this.passLosses(place)
    if (place < this.isBlindBefore) return
    const found = this.isNext(place) ? this.index : journal.indexOf(place)
    if (found < 0 || journal.markAt(found) !== mark) return this.judgeStrange(mark, place, found)
    if (found < this.index) return this.judgeBehind(mark)
    if (found > this.index) this.skipTo(found, `was skipped: ${this.findings.event(mark)} came instead`)
    journal.give(found)
    this.index = found + 1
    this.lastDelivered = this.position = place
  }

  /** It is in the new branch: of what was lost before there is nothing to be told. */
  private passLosses(place: Place): void {
    const { losses } = this.journal
    while (this.passed < losses.length && losses[this.passed]!.resumes <= place) this.passed++
  }

  private isNext(place: Place): boolean {
    return this.index < this.journal.end && this.journal.placeAt(this.index) === place
  }

  /** It was lost: fine while it is told before the gap, in order. */
  private judgeLost(mark: Mark, place: Place, loss: number): void {
    if (loss < this.passed) return this.violate('I2', `was given ${this.findings.event(mark)}, which was lost, after it was told of the gap`, mark)
    if (place <= this.lastDelivered) this.violate('I1', `was given ${this.findings.event(mark)} (lost since) out of order or twice`, mark)
    this.lastDelivered = max(this.lastDelivered, place)
    this.owesGap = true
  }

  private judgeStrange(mark: Mark, place: Place, found: number): void {
    const { event, places } = this.findings
    this.violate('I2', `was given ${event(mark)} at ${places.text(place)}, where the journal holds ${found < 0 ? 'nothing' : event(this.journal.markAt(found))}`, mark)
  }

  /** Twice, or late: what was taken for missing is out of order then. */
  private judgeBehind(mark: Mark): void {
    if (!this.skipped.has(mark)) return this.violate('I2', `was given ${this.findings.event(mark)} twice, or from before its beginning`, mark)
    const violation = this.skipped.get(mark)
    this.skipped.delete(mark)
    if (!violation) return
    violation.invariant = 'I1'
    violation.what = `${this.name} was given ${this.findings.event(mark)} late, out of the journal's order`
  }

  /** False: its cause is not known yet. */
  private take(note: Note, isForced: boolean): boolean {
    if (this.hasLeft) return true
    if (note.kind === 'began') return this.takeBeginning(note.behind, isForced)
    const { gap, from, to } = note
    const isLegitimate = gap.reason === 'trimmed' ? to <= min(this.journal.floor, this.journal.frontier) : this.isLossTold(gap, from, to)
    if (!isLegitimate && !isForced) return false
    if (!isLegitimate) this.violate(gap.reason === 'session' ? 'I8' : 'I2', `was told of a gap without a cause: ${JSON.stringify(gap)}`)
    else if (gap.reason === 'trimmed' && to <= this.position) this.violate('I2', `was told of a gap that takes nothing from it: ${JSON.stringify(gap)}`)
    if (gap.reason === 'trimmed') this.passTo(from, to)
    else if (gap.reason === 'session') this.endSession(from)
    else this.takeEpochGap(from, to)
    this.isExcused = true
    return true
  }

  private isLossTold(gap: Gap, from: Place, to: Place): boolean {
    const { losses, frontier } = this.journal
    // A session's record was written before the loss, and is known no more, whatever its client was told of.
    if (gap.reason === 'session') return losses.length > this.lossesBefore && !this.isAhead(from)
    return this.passed < losses.length && to <= frontier
  }

  private takeEpochGap(from: Place, to: Place): void {
    const { losses } = this.journal
    const exact = losses.findIndex(({ behind }, at) => at >= this.passed && behind === to)
    const next = exact >= 0 ? exact : losses.findLastIndex(({ behind }, at) => at >= this.passed && behind <= to)
    // It leads further back than the loss when the whole epoch was lost: then it is read anew, and every loss is behind it.
    this.passed = next < 0 ? losses.length : next + 1
    this.owesGap = false
    this.passTo(from, to)
    this.lastDelivered = min(this.lastDelivered, to)
  }

  /**
   * Reads on behind `to`, which may lead back. Up to `from` it has everything, it says; what lies between is excused if retention took
   * it, and if not, it could have been had.
   */
  private passTo(from: Place, to: Place): void {
    const { journal } = this
    const index = journal.indexBehind(to)
    this.skipTo(min(index, journal.indexBehind(from)), 'was left out before a gap')
    this.skipTo(index, 'was left out by a gap though it is there', max(this.behind, journal.floor))
    if (index === journal.first && index > 0 && index < journal.end) this.isBlindBefore = journal.placeAt(index)
    this.index = index
    this.position = to
  }

  private endSession(from: Place): void {
    this.skipTo(this.journal.indexBehind(from), 'was left out before a gap')
    // Which losses it need not be told of any more, its new beginning says.
    this.passed = 0
    this.owesGap = false
    this.hasBegun = false
  }

  private takeBeginning(behind: Place, isForced: boolean): boolean {
    if (this.hasBegun && !this.isExcused) {
      if (!isForced && this.isAhead(behind)) return false
      this.skipTo(this.journal.indexBehind(behind), 'was left out by a new beginning, without a gap')
    }
    this.startAt(behind)
    return true
  }

  private startAt(behind: Place): void {
    const { losses } = this.journal
    this.hasBegun = true
    this.index = this.journal.indexBehind(behind)
    this.behind = this.position = behind
    this.passLosses(behind)
    this.lossesBefore = losses.filter(({ resumes }) => resumes <= behind).length
  }

  private skipTo(index: number, why: string, excusedUpTo = this.behind): void {
    const { journal, interest } = this
    for (; this.index < index; this.index++) {
      if (journal.placeAt(this.index) > excusedUpTo && interest.wants(journal.markAt(this.index))) this.skip(this.index, why)
    }
  }

  private skip(index: number, why: string): void {
    const mark = this.journal.markAt(index)
    const violation = this.findings.violate('I2', `${this.name}: ${this.findings.event(mark)} at ${this.findings.places.text(this.journal.placeAt(index))} ${why}`, this.concerned(mark))
    if (this.skipped.size < MOST_SKIPPED) this.skipped.set(mark, violation)
  }

  private violate(invariant: Violation['invariant'], what: string, mark?: Mark): void {
    this.findings.violate(invariant, `${this.name} ${what}`, this.concerned(mark))
  }

  private concerned(mark?: Mark): { project: number; subscriber: number; mark?: Mark } {
    return { project: this.journal.number, subscriber: this.number, mark }
  }
}
