/** What the verdict counts, and how far all subscribers have passed. */
import { FAULT_KINDS, numberOf, producerOf, type FaultKind, type Verdict } from './observer.js'
import type { Ahead } from './checkerAhead.js'
import type { Findings } from './checkerFindings.js'
import type { Journal } from './checkerJournal.js'
import type { Producer } from './checkerProducer.js'

export class Tally {
  published = 0
  committed = 0
  delivered = 0
  gaps = 0
  resumed = 0
  resumedElsewhere = 0
  private lost = 0
  private checked = 0
  private duringFaults = 0
  private readonly during = new Float64Array(FAULT_KINDS.length)
  /** Of each project: index up to which its entries are counted. */
  private readonly counted: number[] = []
  constructor(private readonly findings: Findings) {}

  lose(journal: Journal, cut: number, count: number): void {
    this.lost += count
    this.counted[journal.number] = Math.min(this.counted[journal.number] ?? 0, cut)
  }

  /** Counts what all subscribers of the project have passed, and lets the journal forget it. */
  count({ journal, subscribers }: Ahead, producers: readonly (Producer | undefined)[]): void {
    let least = journal.end
    for (const subscriber of subscribers) {
      if (subscriber.queue.length === 0) subscriber.isWaiting()
      if (subscriber.hasBegun && !subscriber.hasLeft) least = Math.min(least, subscriber.index)
    }
    let index = Math.max(this.counted[journal.number] ?? 0, journal.first)
    for (; index < least; index++) {
      // What nobody wanted was judged by nobody.
      if (!journal.isGiven(index)) continue
      const mark = journal.markAt(index)
      this.checked++
      const during = producers[producerOf(mark)]?.duringOf(numberOf(mark)) ?? 0
      if (during === 0) continue
      this.duringFaults++
      for (let kind = 0; kind < FAULT_KINDS.length; kind++) if (during & (1 << kind)) this.during[kind]!++
    }
    this.counted[journal.number] = index
    journal.release(least)
  }

  verdict(producers: readonly (Producer | undefined)[]): Verdict {
    const { findings } = this
    const totals = findings.faults.totals(findings.atMs)
    const faults = Object.fromEntries(FAULT_KINDS.map((kind, at) => [kind, { ...totals[kind], eventsDuring: this.during[at]! }])) as Record<FaultKind, Verdict['faults'][FaultKind]>
    const { published, committed, checked, delivered, gaps, lost, resumed, resumedElsewhere, duringFaults } = this
    const acked = producers.reduce((sum, producer) => sum + (producer?.acked ?? 0), 0)
    const { violations, count: violationCount, atMs } = findings
    return { violations: [...violations], violationCount, atMs, published, acked, committed, checked, delivered, gaps, lost, resumed, resumedElsewhere, duringFaults, faults }
  }
}
