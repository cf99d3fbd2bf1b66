/**
 * Proves I1 to I8 over a run: it is told what happens (`observer.ts`) and keeps of it as little as the proof needs. Deliveries and
 * acknowledgements may run ahead of the raw reader; they are held until it has come so far.
 *
 *   checkerJournal     the truth of a project, and what Redis lost of it
 *   checkerProducer    each event committed once (I3), answered truly (I4), kept out if bad (I5)
 *   checkerSubscriber  deliveries in order (I1), none missing, each once (I2), on any worker (I8)
 *   checkerStalls      nobody waits for a slow neighbour (I7)
 *
 * Isolation (I6) is looked at here, where projects and interests meet. Calls cost well below a microsecond; an event about three bytes for
 * good and 33 while it is under way.
 */
import type { Gap } from '@hubbub/protocol'
import { Ahead } from './checkerAhead.js'
import { codeOf, Findings, NONE } from './checkerFindings.js'
import { Journal } from './checkerJournal.js'
import { Producer } from './checkerProducer.js'
import { PATIENCE, Stalls, type Patience } from './checkerStalls.js'
import { Subscriber } from './checkerSubscriber.js'
import { Tally } from './checkerTally.js'
import { numberOf, producerOf, type FaultKind, type Interest, type Mark, type Observer, type Verdict, type Violation } from './observer.js'

export interface CheckerOptions {
  /** ms, rising; `performance.now` unless told */
  now?: () => number
  patience?: Partial<Patience>
}

export interface Checker extends Observer {
  /** Everything published is answered, and everything committed was delivered: the run may end. */
  settled(): boolean
  /** What `settled` still waits for, at most 20 lines. */
  outstanding(): string[]
  /** As far as the run has come. */
  progress(): Verdict
  /** The end: what is missing now is missing. Nothing may be told afterwards. */
  verdict(): Verdict
}

const [PUBLISHED, FORBIDDEN, ACKED, REFUSED, COMMITTED, LOST] = (['published', 'forbidden', 'acked', 'refused', 'committed', 'lost'] as const).map(codeOf) as [number, number, number, number, number, number]
const [TRIMMED, DELIVERED, GAP, BEGAN, RESUMED, LEFT] = (['trimmed', 'delivered', 'gap', 'began', 'resumed', 'left'] as const).map(codeOf) as [number, number, number, number, number, number]
/** The clock is asked, and stalls are looked for, once in so many calls. */
const CALLS = 64
/** Commits between two looks at what all subscribers passed. */
const COMMITS = 8192

export function createChecker(options: CheckerOptions = {}): Checker {
  return new HistoryChecker(options)
}

class HistoryChecker implements Checker {
  private readonly findings: Findings
  private readonly tally: Tally
  private readonly stalls: Stalls
  private readonly journals = new Map<string, Journal>()
  private readonly ahead: Ahead[] = []
  private readonly producers: (Producer | undefined)[] = []
  private readonly subscribers: Subscriber[] = []
  private readonly workers = new Map<number, string>()
  private calls = 0
  private ended: Verdict | undefined

  constructor({ now = () => performance.now(), patience }: CheckerOptions) {
    const beganAt = now()
    this.findings = new Findings(() => now() - beganAt)
    this.tally = new Tally(this.findings)
    this.stalls = new Stalls(this.findings, { ...PATIENCE, ...patience })
  }

  producer(producer: number, project: string, answered = true): void {
    if (this.producers[producer]) throw new Error(`producer ${producer} is told twice`)
    this.producers[producer] = new Producer(producer, this.journalOf(project), answered, this.findings)
  }

  subscriber(name: string, interest: Interest): number {
    const journal = this.journalOf(interest.project)
    const subscriber = new Subscriber(this.subscribers.length, name, interest, journal, this.findings)
    this.ahead[journal.number]!.subscribers.push(subscriber)
    return this.subscribers.push(subscriber) - 1
  }

  published(mark: Mark): void {
    this.handIn(PUBLISHED, mark)
    this.tally.published++
  }

  forbidden(mark: Mark): void {
    this.handIn(FORBIDDEN, mark)
  }

  acked(mark: Mark, offset: string, head: string): void {
    this.tick()
    const producer = this.mustKnow(mark)
    const { journal } = producer
    const place = this.findings.places.of(offset)
    this.findings.record(ACKED, journal.number, NONE, mark, place)
    producer.touch(numberOf(mark), this.findings.faults.mask)
    producer.ack(numberOf(mark), place, this.findings.places.of(head))
  }

  refused(mark: Mark, _code: string): void {
    this.tick()
    const producer = this.mustKnow(mark)
    this.findings.record(REFUSED, producer.journal.number, NONE, mark, 0)
    producer.refuse(numberOf(mark))
  }

  committed(project: string, mark: Mark | undefined, offset: string): void {
    this.tick()
    const journal = this.journalOf(project)
    const place = this.findings.places.of(offset)
    if (place <= journal.frontier) this.findings.violate('I1', `${project}: the journal goes back to ${offset}`, { project: journal.number, mark })
    else journal.reach(place)
    if (mark !== undefined) this.commit(journal, mark, place)
    this.ahead[journal.number]!.reached(place)
  }

  lost(project: string, offset: string): void {
    this.tick()
    const journal = this.journalOf(project)
    const place = this.findings.places.of(offset)
    this.findings.record(LOST, journal.number, NONE, NONE, place)
    if (journal.first > 0 && journal.first < journal.end && place < journal.placeAt(journal.first)) {
      this.findings.violate('I2', `${project}: Redis lost more, behind ${offset}, than is remembered; what stood there cannot be judged`, { project: journal.number })
    }
    this.ahead[journal.number]!.drain()
    let count = 0
    const cut = journal.lose(place, (mark) => {
      count++
      this.producers[producerOf(mark)]?.lose(numberOf(mark))
    })
    for (const producer of this.producers) if (producer?.journal === journal) producer.loseOpen()
    this.tally.lose(journal, cut, count)
    for (const subscriber of this.subscribers) if (subscriber.journal === journal) subscriber.lose(place, cut)
    this.ahead[journal.number]!.drain()
  }

  trimmed(project: string, offset: string): void {
    this.tick()
    const journal = this.journalOf(project)
    const place = this.findings.places.of(offset)
    this.findings.record(TRIMMED, journal.number, NONE, NONE, place)
    journal.floor = Math.max(journal.floor, place)
    this.ahead[journal.number]!.drain()
  }

  delivered(subscriber: number, project: string, mark: Mark, offset: string): void {
    this.tick()
    const receiver = this.subscribers[subscriber]!
    const place = this.findings.places.of(offset)
    const producer = this.producers[producerOf(mark)]
    this.findings.record(DELIVERED, receiver.journal.number, subscriber, mark, place)
    this.tally.delivered++
    producer?.touch(numberOf(mark), this.findings.faults.mask)
    const wrong = this.wrongOf(receiver, project, mark, producer)
    if (wrong) {
      const [invariant, what] = wrong
      this.findings.violate(invariant, `${receiver.name} was given ${this.findings.event(mark)}, ${what}`, { project: receiver.journal.number, subscriber, mark })
      return
    }
    receiver.deliver(mark, place)
    this.watch(receiver)
  }

  /** What nobody may receive, or not this subscriber (I5, I6). */
  private wrongOf({ interest, journal }: Subscriber, project: string, mark: Mark, producer: Producer | undefined): [Violation['invariant'], string] | undefined {
    if (!producer?.knows(numberOf(mark))) return ['I2', 'which nobody handed in']
    if (project !== interest.project) return ['I6', `of the project ${project}; its own is ${interest.project}`]
    if (producer.journal !== journal) return ['I6', `of the project ${producer.journal.project}; its own is ${interest.project}`]
    if (producer.isForbidden(numberOf(mark))) return ['I5', 'which was to be refused']
    return interest.wants(mark) ? undefined : ['I6', 'which its subscriptions do not take']
  }

  gap(subscriber: number, gap: Gap): void {
    this.note(GAP, subscriber)
    this.tally.gaps++
    this.subscribers[subscriber]!.gap(gap)
    this.watch(this.subscribers[subscriber]!)
  }

  began(subscriber: number, offset: string): void {
    const place = this.findings.places.of(offset)
    this.note(BEGAN, subscriber, place)
    this.subscribers[subscriber]!.begin(place)
    this.watch(this.subscribers[subscriber]!)
  }

  resumed(subscriber: number, worker: string): void {
    this.note(RESUMED, subscriber)
    this.tally.resumed++
    const before = this.workers.get(subscriber)
    if (before !== undefined && before !== worker) this.tally.resumedElsewhere++
    this.workers.set(subscriber, worker)
  }

  left(subscriber: number): void {
    this.note(LEFT, subscriber)
    this.subscribers[subscriber]!.hasLeft = true
  }

  faultBegan(kind: FaultKind, what: string): number {
    this.look()
    return this.findings.faults.begin(kind, what, this.findings.atMs)
  }

  faultEnded(fault: number): void {
    this.look()
    this.findings.faults.end(fault, this.findings.atMs)
  }

  settled(): boolean {
    this.look()
    for (const producer of this.producers) producer?.judgeOpen(false)
    for (const ahead of this.ahead) ahead.drain()
    return this.producers.every((producer) => !producer?.open) && this.subscribers.every(({ isSettled }) => isSettled)
  }

  outstanding(): string[] {
    if (this.settled()) return []
    const open = this.producers.flatMap((producer, number) => (producer?.open ? [`producer ${number}: ${producer.open} of ${producer.count} events are open`] : []))
    return [...open, ...this.subscribers.filter(({ isSettled }) => !isSettled).map((subscriber) => subscriber.outstanding())].slice(0, 20)
  }

  progress(): Verdict {
    if (this.ended) return this.ended
    this.look()
    for (const ahead of this.ahead) {
      ahead.drain()
      this.tally.count(ahead, this.producers)
    }
    this.findings.resolve()
    return this.tally.verdict(this.producers)
  }

  verdict(): Verdict {
    if (this.ended) return this.ended
    this.look()
    for (const journal of this.journals.values()) journal.close()
    for (const subscriber of this.subscribers) subscriber.finish()
    for (const producer of this.producers) producer?.judgeOpen(true)
    return (this.ended = this.progress())
  }

  private handIn(kind: number, mark: Mark): void {
    this.tick()
    const producer = this.mustKnow(mark)
    this.findings.record(kind, producer.journal.number, NONE, mark, 0)
    producer.handIn(numberOf(mark), kind === FORBIDDEN, this.findings.faults.mask)
  }

  private commit(journal: Journal, mark: Mark, place: number): void {
    this.findings.record(COMMITTED, journal.number, NONE, mark, place)
    this.tally.committed++
    const producer = this.producers[producerOf(mark)]
    const violate = (invariant: 'I3' | 'I6', what: string) => this.findings.violate(invariant, `${this.findings.event(mark)} ${what}`, { project: journal.number, mark })
    // What must not stand there is expected of nobody: a delivery of it is found as such.
    if (!producer?.knows(numberOf(mark))) return void violate('I3', 'is committed, and nobody handed it in')
    if (producer.journal !== journal) return void violate('I6', `of the project ${producer.journal.project} is committed in ${journal.project}`)
    producer.commit(numberOf(mark), place)
    if (!producer.isForbidden(numberOf(mark))) journal.append(mark, place)
    if (journal.end % COMMITS === 0) this.tally.count(this.ahead[journal.number]!, this.producers)
  }

  private note(kind: number, subscriber: number, place = 0): void {
    this.tick()
    this.findings.record(kind, this.subscribers[subscriber]!.journal.number, subscriber, NONE, place)
  }

  private watch(subscriber: Subscriber): void {
    if (subscriber.queue.length > 0) this.ahead[subscriber.journal.number]!.add(subscriber)
  }

  private mustKnow(mark: Mark): Producer {
    const producer = this.producers[producerOf(mark)]
    if (!producer) throw new Error(`producer ${producerOf(mark)} was not told of`)
    return producer
  }

  private journalOf(project: string): Journal {
    let journal = this.journals.get(project)
    if (!journal) {
      journal = new Journal(project, this.journals.size)
      this.journals.set(project, journal)
      this.ahead.push(new Ahead(journal))
    }
    return journal
  }

  private tick(): void {
    if ((++this.calls & (CALLS - 1)) === 0) this.look()
  }

  private look(): void {
    this.findings.atMs = this.findings.now()
    this.stalls.look(this.subscribers)
  }
}
