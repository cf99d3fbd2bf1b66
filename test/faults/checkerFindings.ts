/** What is wrong, with what was told last of whom it concerns. Records go into a ring of typed arrays and become text only for a violation. */
import { numberOf, producerOf, type Mark, type Violation } from './observer.js'
import { Faults } from './checkerFaults.js'
import { Places, type Place } from './checkerPlaces.js'

const RECORDS = ['published', 'forbidden', 'acked', 'refused', 'committed', 'lost', 'trimmed', 'delivered', 'gap', 'began', 'resumed', 'left'] as const

export const codeOf = (kind: (typeof RECORDS)[number]): number => RECORDS.indexOf(kind)

const COMMITTED = codeOf('committed')
const DELIVERED = codeOf('delivered')
const RING = 2 ** 14
/** Told in full; what comes after is only counted. */
const TOLD = 200
const AROUND = 20
/** Of those: what it was given, and what was committed in its project; either alone would fill all lines. */
const DELIVERIES = 10
const COMMITS = 5
/** Records without a subscriber, or without a mark. */
export const NONE = -1

export interface Concerned {
  /** Number of the project. */
  project: number
  subscriber?: number
  mark?: Mark
}

export class Findings {
  readonly faults = new Faults()
  readonly places = new Places()
  readonly violations: Violation[] = []
  count = 0
  /** ms since the run began; moved on now and then, for asking the clock costs as much as a record. */
  atMs = 0
  /** Wrong, unless it turns out that Redis lost what it is about: a failover came between. */
  private doubts: { isLost: () => boolean; violation: Violation | undefined }[] = []
  private readonly kinds = new Uint8Array(RING)
  private readonly projects = new Int32Array(RING)
  private readonly subscribers = new Int32Array(RING)
  private readonly marks = new Float64Array(RING)
  private readonly at = new Float64Array(RING)
  private readonly times = new Float64Array(RING)
  private next = 0

  /** @param now ms since the run began */
  constructor(readonly now: () => number) {}

  /** @param subscriber NONE: it concerns none @param mark NONE: of no event of ours */
  record(kind: number, project: number, subscriber: number, mark: Mark, place: Place): void {
    const at = this.next++ & (RING - 1)
    this.kinds[at] = kind
    this.projects[at] = project
    this.subscribers[at] = subscriber
    this.marks[at] = mark
    this.at[at] = place
    this.times[at] = this.atMs
  }

  /** Answers the violation, so that what is learned later can be added to it; undefined when there are too many to tell. */
  violate(invariant: Violation['invariant'], what: string, concerned: Concerned): Violation | undefined {
    this.count++
    if (this.violations.length >= TOLD) return undefined
    this.atMs = this.now()
    const violation = { invariant, what, atMs: Math.round(this.atMs), faults: this.faults.around(this.atMs), records: this.around(concerned) }
    this.violations.push(violation)
    return violation
  }

  /** As `violate`, but right after all if what it is about is found to be of a branch that was lost. */
  doubt(invariant: Violation['invariant'], what: string, concerned: Concerned, isLost: () => boolean): void {
    this.doubts.push({ isLost, violation: this.violate(invariant, what, concerned) })
  }

  /** Takes back what is known by now to have been right. */
  resolve(): void {
    this.doubts = this.doubts.filter(({ isLost, violation }) => {
      if (!isLost()) return true
      // One of too many to tell was counted all the same.
      if (violation) this.violations.splice(this.violations.indexOf(violation), 1)
      this.count--
      return false
    })
  }

  /** `event 3:17`: producer and number. */
  readonly event = (mark: Mark): string => `event ${producerOf(mark)}:${numberOf(mark)}`

  private around({ project, subscriber, mark }: Concerned): string[] {
    const lines: string[] = []
    let [commits, deliveries] = [0, 0]
    for (let number = this.next - 1; number >= Math.max(0, this.next - RING) && lines.length < AROUND; number--) {
      const at = number & (RING - 1)
      const kind = this.kinds[at]!
      const isIt = mark !== undefined && this.marks[at] === mark && (this.subscribers[at] === NONE || this.subscribers[at] === subscriber)
      const isHis = subscriber !== undefined && this.subscribers[at] === subscriber && (kind !== DELIVERED || deliveries < DELIVERIES)
      const isProjects = this.projects[at] === project && this.subscribers[at] === NONE && (kind > COMMITTED || (kind === COMMITTED && commits < COMMITS))
      if (!isHis && !isIt && !isProjects) continue
      if (kind === COMMITTED) commits++
      if (kind === DELIVERED) deliveries++
      lines.push(this.line(at))
    }
    return lines.reverse()
  }

  private line(at: number): string {
    const mark = this.marks[at]!
    const time = `${(this.times[at]! / 1000).toFixed(2)} s`.padStart(11)
    const whom = this.subscribers[at] === NONE ? '' : `subscriber ${this.subscribers[at]}`
    return `${time}  ${RECORDS[this.kinds[at]!]!.padEnd(9)}  ${(mark === NONE ? '' : this.event(mark)).padEnd(18)}  ${this.places.text(this.at[at]!).padEnd(20)}  ${whom}`.trimEnd()
  }
}
