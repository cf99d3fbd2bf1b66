/**
 * Histories as a correct hub makes them, for tests of the checker: producers, a journal a project, a raw reader that lags, subscribers whose
 * wires hold what they have not received yet, failovers that lose writes, retention. Every choice is a number, so a property can shrink it.
 */
import type { Gap } from '@hubbub/protocol'
import { FAULT_KINDS, markOf, numberOf, producerOf, type Interest, type Mark, type Observer } from './observer.js'

export type Call = { [Name in keyof Observer]: { name: Name; args: Parameters<Observer[Name]> } }[keyof Observer]

interface Entry {
  mark: Mark | undefined
  offset: string
}

interface Source {
  number: number
  project: Project
  isAnswered: boolean
  handedIn: number
  /** Not committed, or lost before it was answered: in the order of the numbers. */
  pending: number[]
  /** Committed, not answered yet. */
  unanswered: { number: number; offset: string }[]
}

interface Watcher {
  number: number
  interest: Interest
  project: Project
  /** Entries that the hub has passed for it. */
  at: number
  cursor: string
  begunAtLoss: number
  wire: Call[]
}

interface Project {
  name: string
  journal: Entry[]
  read: number
  floor: string
  losses: number
  untold: string[]
}

const START_MS = 1_800_000_000_000

export class Model {
  readonly calls: Call[] = []
  private readonly projects: Project[]
  private readonly sources: Source[] = []
  private readonly watchers: Watcher[] = []
  private readonly faults: number[] = []
  private ms = START_MS
  private sequence = 0
  private faultCount = 0

  constructor(private readonly options: { losses?: boolean; trims?: boolean } = {}) {
    this.projects = ['red', 'blue'].map((name) => ({ name, journal: [], read: 0, floor: '0-0', losses: 0, untold: [] }))
    for (const project of this.projects) for (const isAnswered of [true, true, false]) this.addSource(project, isAnswered)
    for (const project of this.projects) for (const modulus of [1, 2, 7]) this.addWatcher(project, modulus)
  }

  /** One step of the history. @param choice any unsigned integer below 2^32 */
  step(choice: number): void {
    const what = choice % 64
    const rest = Math.floor(choice / 64)
    const source = this.sources[rest % this.sources.length]!
    const watcher = this.watchers[rest % this.watchers.length]!
    const project = this.projects[rest % this.projects.length]!
    const size = 1 + (Math.floor(rest / 16) % 8)
    if (what < 12) this.publish(source, size, what === 0)
    else if (what < 24) this.commit(source, size)
    else if (what < 30) this.answer(source, size)
    else if (what < 31) this.refuse(source)
    else if (what < 40) this.read(project, size * 2)
    else if (what < 48) this.push(watcher, size * 4)
    else if (what < 58) this.receive(watcher, size * 4)
    else if (what < 59) this.resubscribe(watcher)
    else if (what < 60) this.fault(rest)
    else if (what < 61 && this.options.trims) this.trim(project, size)
    else if (what < 62 && this.options.losses) this.lose(project, size * 2, rest)
    else if (what < 63) this.commitOwn(project)
    else if (this.watchers.length < 12) this.addWatcher(project, 1 + (rest % 5))
  }

  /** Ends it: everything committed, answered, read and received. */
  finish(): Call[] {
    for (const project of this.projects) this.commitOwn(project)
    for (const source of this.sources) this.commit(source, Infinity)
    for (const source of this.sources) this.answer(source, Infinity)
    for (const watcher of this.watchers) this.push(watcher, Infinity)
    for (const project of this.projects) this.read(project, Infinity)
    for (const watcher of this.watchers) this.receive(watcher, Infinity)
    for (const fault of this.faults.splice(0)) this.tell({ name: 'faultEnded', args: [fault] })
    return this.calls
  }

  /** Deliveries of what stands in the journal in the end: places in `calls`. */
  surviving(): number[] {
    const offsets = new Map(this.projects.map(({ name, journal }) => [name, new Set(journal.map(({ offset }) => offset))]))
    return this.calls.flatMap(({ name, args }, at) => (name === 'delivered' && offsets.get(args[1])!.has(args[3]) ? [at] : []))
  }

  /** Acknowledgements of what stands in the journal in the end. */
  survivingAcks(): number[] {
    const offsets = new Set(this.projects.flatMap(({ journal }) => journal.map(({ mark, offset }) => `${mark} ${offset}`)))
    return this.calls.flatMap(({ name, args }, at) => (name === 'acked' && offsets.has(`${args[0]} ${args[1]}`) ? [at] : []))
  }

  private tell(call: Call): void {
    this.calls.push(call)
  }

  private addSource(project: Project, isAnswered: boolean): void {
    const number = this.sources.length
    this.sources.push({ number, project, isAnswered, handedIn: 0, pending: [], unanswered: [] })
    this.tell({ name: 'producer', args: [number, project.name, isAnswered] })
  }

  private addWatcher(project: Project, modulus: number): void {
    const number = this.watchers.length
    const interest = { project: project.name, wants: (mark: Mark) => (numberOf(mark) + producerOf(mark)) % modulus === 0 }
    const cursor = headOf(project)
    this.watchers.push({ number, interest, project, at: project.journal.length, cursor, begunAtLoss: project.losses, wire: [] })
    this.tell({ name: 'subscriber', args: [`watcher-${number}`, interest] })
    this.tell({ name: 'began', args: [number, cursor] })
  }

  private publish(source: Source, count: number, isForbidden: boolean): void {
    for (let at = 0; at < count; at++) {
      const number = source.handedIn++
      this.tell({ name: isForbidden ? 'forbidden' : 'published', args: [markOf(source.number, number)] })
      if (!isForbidden) source.pending.push(number)
    }
  }

  private commit(source: Source, count: number): void {
    for (const number of source.pending.splice(0, count)) {
      const offset = this.nextOffset()
      source.project.journal.push({ mark: markOf(source.number, number), offset })
      if (source.isAnswered) source.unanswered.push({ number, offset })
    }
  }

  private commitOwn(project: Project): void {
    project.journal.push({ mark: undefined, offset: this.nextOffset() })
  }

  private answer(source: Source, count: number): void {
    for (const { number, offset } of source.unanswered.splice(0, count)) {
      this.tell({ name: 'acked', args: [markOf(source.number, number), offset, headOf(source.project)] })
    }
  }

  private refuse(source: Source): void {
    const number = source.isAnswered ? source.pending.shift() : undefined
    if (number !== undefined) this.tell({ name: 'refused', args: [markOf(source.number, number), 'RATE_LIMITED'] })
  }

  private read(project: Project, count: number): void {
    for (const offset of project.untold.splice(0)) this.tell({ name: 'lost', args: [project.name, offset] })
    for (const { mark, offset } of project.journal.slice(project.read, project.read + count)) this.tell({ name: 'committed', args: [project.name, mark, offset] })
    project.read = Math.min(project.read + count, project.journal.length)
  }

  /** The hub writes to the subscriber's wire what comes next for it. */
  private push(watcher: Watcher, count: number): void {
    const { project, interest, number } = watcher
    if (isBefore(watcher.cursor, project.floor)) this.skip(watcher, project.floor, 'trimmed')
    for (const { mark, offset } of project.journal.slice(watcher.at, watcher.at + count)) {
      watcher.at++
      watcher.cursor = offset
      if (mark !== undefined && interest.wants(mark)) watcher.wire.push({ name: 'delivered', args: [number, project.name, mark, offset] })
    }
  }

  private receive(watcher: Watcher, count: number): void {
    for (const call of watcher.wire.splice(0, count)) this.tell(call)
  }

  /** A stock client whose session is known no more, for a failover took its record: told so, it subscribes anew. */
  private resubscribe(watcher: Watcher): void {
    const { project } = watcher
    if (watcher.begunAtLoss === project.losses) return
    watcher.wire.push({ name: 'gap', args: [watcher.number, gapOf(watcher.cursor, headOf(project), 'session')] })
    watcher.wire.push({ name: 'began', args: [watcher.number, headOf(project)] })
    watcher.begunAtLoss = project.losses
    watcher.at = project.journal.length
    watcher.cursor = headOf(project)
  }

  private skip(watcher: Watcher, to: string, reason: Gap['reason']): void {
    watcher.wire.push({ name: 'gap', args: [watcher.number, gapOf(watcher.cursor, to, reason)] })
    watcher.cursor = to
    watcher.at = watcher.project.journal.findLastIndex(({ offset }) => !isBefore(to, offset)) + 1
  }

  private trim(project: Project, count: number): void {
    const floor = project.journal.at(-count)?.offset
    if (floor === undefined || !isBefore(project.floor, floor)) return
    project.floor = floor
    this.tell({ name: 'trimmed', args: [project.name, floor] })
  }

  /** A failover: the last entries are gone; what was not answered is handed in again, and who was ahead is told of a gap. */
  private lose(project: Project, count: number, rest: number): void {
    const kept = Math.max(0, project.journal.length - count)
    if (kept === 0 || isBefore(project.journal[kept - 1]!.offset, project.floor)) return
    const gone = new Set(project.journal.splice(kept).map(({ mark }) => mark))
    const behind = headOf(project)
    project.losses++
    project.untold.push(behind)
    project.read = Math.min(project.read, kept)
    // Answers that were on their way when it happened are found to lie behind the new head.
    if (rest % 3 === 0) for (const source of this.sources) if (source.project === project) this.answer(source, rest % 5)
    for (const source of this.sources.filter((one) => one.project === project)) {
      const again = source.unanswered.filter(({ number }) => gone.has(markOf(source.number, number)))
      source.unanswered = source.unanswered.filter((one) => !again.includes(one))
      source.pending.unshift(...again.map(({ number }) => number))
    }
    this.ms += 1000
    for (const watcher of this.watchers) if (watcher.project === project && isBefore(behind, watcher.cursor)) this.skip(watcher, behind, 'epoch')
  }

  private fault(rest: number): void {
    const ended = this.faults.shift()
    if (ended !== undefined) return this.tell({ name: 'faultEnded', args: [ended] })
    this.faults.push(this.faultCount++)
    this.tell({ name: 'faultBegan', args: [FAULT_KINDS[rest % FAULT_KINDS.length]!, 'somebody'] })
  }

  /** Rises over all projects: batches share a millisecond. */
  private nextOffset(): string {
    if (this.sequence++ > 5) {
      this.ms++
      this.sequence = 0
    }
    return `${this.ms}-${this.sequence}`
  }
}

const headOf = ({ journal }: Project): string => journal.at(-1)?.offset ?? '0-0'
const gapOf = (from: string, to: string, reason: Gap['reason']): Gap => ({ from: `e.${from}`, to: `e.${to}`, reason })

function isBefore(a: string, b: string): boolean {
  const [aMs, aSequence] = a.split('-').map(Number) as [number, number]
  const [bMs, bSequence] = b.split('-').map(Number) as [number, number]
  return aMs < bMs || (aMs === bMs && aSequence < bSequence)
}

/** Plays the calls; the answers of `subscriber` and `faultBegan` are counted alike on both sides. */
export function play(calls: readonly Call[], observer: Observer): void {
  for (const { name, args } of calls) (observer[name] as (...args: unknown[]) => unknown)(...args)
}

/** Choices for a long history, always the same for a seed. */
export function* choices(seed: number, count: number): Generator<number> {
  let state = seed >>> 0
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield (state ^ (state >>> 15)) >>> 0
  }
}
