/** The subscribers of one project, and those of them who were given what the raw reader has not told yet: asked only when it may matter. */
import type { Journal } from './checkerJournal.js'
import type { Place } from './checkerPlaces.js'
import type { Subscriber } from './checkerSubscriber.js'

const { min } = Math
const NOBODY = Infinity
/** They are looked at together, once in so many commits that somebody waits for. */
const COMMITS = 32

export class Ahead {
  readonly subscribers: Subscriber[] = []
  private readonly waiting = new Set<Subscriber>()
  /** The first place for which somebody waits. */
  private next: Place = NOBODY
  private passed = 0

  constructor(readonly journal: Journal) {}

  add(subscriber: Subscriber): void {
    this.waiting.add(subscriber)
    this.next = min(this.next, subscriber.queue.place)
  }

  reached(place: Place): void {
    if (place >= this.next && ++this.passed >= COMMITS) this.drain()
  }

  drain(): void {
    this.next = NOBODY
    this.passed = 0
    for (const subscriber of this.waiting) {
      subscriber.drain()
      if (subscriber.queue.length === 0) this.waiting.delete(subscriber)
      // A gap without a known cause waits for `lost` or `trimmed`, which drain everybody.
      else if (subscriber.queue.place > this.journal.frontier) this.next = min(this.next, subscriber.queue.place)
    }
  }
}
