/**
 * Folds a batch into state: each accepted event and each due time, with all that follows, in journal order. What it holds in memory
 * is ahead of the store by the batch in hand; `committed` makes it good, and whoever cannot commit drops the whole fold.
 */
import { HubError, isFolded, type Entity, type HubEvent, type Kind } from '@hubbub/protocol'
import type { Logger } from '../../observe/log.js'
import type { Settings } from '../../settings/table.js'
import { placeOf, type EntityWrite, type StateStore, type StateWrites } from '../../store/entities.js'
import { StoreUnavailable, topicKey, type JournalAppend } from '../../store/port.js'
import { follow, parseTimer, type Chain } from './chain.js'
import { Loader } from './loader.js'
import { Memory, Unloaded } from './memory.js'
import { indexTerms } from './terms.js'

export interface FoldContext {
  partition: number
  state: StateStore
  settings: Settings
  log: Logger
}

interface Touched {
  project: string
  kind: Kind
  id: string
  /** Before the batch. */
  before: Entity | undefined
  /** That of the last event that changed it. */
  append: JournalAppend
}

/** Projects in memory; further ones are read again when they are heard of. */
const MOST_PROJECTS = 1000
/** Reads of one cause; more means that reading does not help. */
const MOST_READS = 1000

export class Fold {
  /** The one used last at the end. */
  private readonly memories = new Map<string, Memory>()
  /** Used by the batch in hand. */
  private used = new Set<Memory>()
  private readonly loader: Loader
  private touched = new Map<string, Touched>()
  private timers = new Map<string, number | null>()
  private derived = 0
  private batch = 0
  private now = 0

  constructor(private readonly context: FoldContext) {
    this.loader = new Loader(context.state, context.partition)
  }

  /** @param now ms, the store's clock */
  begin(batch: number, now: number): void {
    // An attempt that the store broke off is begun again from what is committed.
    for (const memory of this.used) memory.rollback(0)
    this.used = new Set()
    this.touched = new Map()
    this.timers = new Map()
    this.derived = 0
    this.batch = batch
    this.now = now
  }

  /** Reads what the events are about, together. */
  async ahead(events: readonly HubEvent[]): Promise<void> {
    const together = new Map<string, HubEvent[]>()
    for (const event of events) {
      if (!isFolded(event.type)) continue
      const others = together.get(event.project)
      if (others) others.push(event)
      else together.set(event.project, [event])
    }
    for (const [project, mine] of together) await this.loader.ahead(await this.memory(project), mine)
  }

  /**
   * What goes to the journal for the event: itself, then what follows from it. `seen` and `replyTo` are the event's own.
   * @throws HubError when a rule refuses it
   */
  async take(event: HubEvent, seen: string, replyTo: string | undefined): Promise<JournalAppend[]> {
    const memory = await this.memory(event.project)
    const appends = this.keep(memory, await this.chain(memory, { event }).catch((error: unknown) => this.fail(event, error)))
    const [own] = appends
    own!.seen = seen
    if (replyTo !== undefined) own!.replyTo = replyTo
    return appends
  }

  /** What follows from a due time. */
  async fire(name: string): Promise<JournalAppend[]> {
    const { project, what, id } = parseTimer(name)
    const memory = await this.memory(project)
    try {
      return this.keep(memory, await this.chain(memory, { timer: what, id }))
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error
      // A due time has no producer to answer: it is let go, so that it does not come again for ever.
      this.context.log.error({ err: error, timer: name }, 'a due time could not be handled')
      this.timers.set(name, null)
      return []
    }
  }

  /** Sets a due time again, unlooked-at. */
  postpone(name: string, due: number): void {
    this.timers.set(name, due)
  }

  /** What the batch writes besides the journal; `appends` are all of it, in order. */
  writes(appends: readonly JournalAppend[]): StateWrites | undefined {
    if (this.touched.size === 0 && this.timers.size === 0) return undefined
    const places = new Map(appends.map((append, index) => [append, index]))
    const entities = [...this.touched.values()].flatMap((touched) => this.write(touched, places.get(touched.append)!))
    return { entities, timers: [...this.timers].map(([name, due]) => ({ name, due })) }
  }

  /** The earliest due time that the batch set; undefined when it set none. */
  nextDue(): number | undefined {
    let next: number | undefined
    for (const due of this.timers.values()) if (due !== null && (next === undefined || due < next)) next = due
    return next
  }

  /** Kinds of which entities finished in this batch, by project. */
  finished(): { project: string; kind: Kind }[] {
    const found = new Map<string, { project: string; kind: Kind }>()
    for (const { project, kind, id, before } of this.touched.values()) {
      const after = this.memories.get(project)?.get(kind, id)
      if (isEnded(after) && !isEnded(before)) found.set(`${project} ${kind}`, { project, kind })
    }
    return [...found.values()]
  }

  committed(): void {
    for (const memory of this.used) memory.settle(this.context.settings.stateEntities)
    for (const [project, memory] of this.memories) {
      if (this.memories.size <= MOST_PROJECTS) break
      if (!this.used.has(memory)) this.memories.delete(project)
    }
    this.used = new Set()
  }

  private async memory(project: string): Promise<Memory> {
    let memory = this.memories.get(project)
    if (!memory) {
      memory = new Memory(project)
      await this.loader.open(memory)
    } else if (this.used.has(memory)) {
      return memory
    }
    this.memories.delete(project)
    this.memories.set(project, memory)
    this.used.add(memory)
    return memory
  }

  private async chain(memory: Memory, cause: Parameters<typeof follow>[1]): Promise<Chain> {
    const { settings } = this.context
    const before = this.derived
    for (let reads = 0; ; reads++) {
      const mark = memory.mark()
      try {
        return follow({ memory, settings, now: this.now, nextId: () => `d${this.context.partition}.${this.batch}.${this.derived++}` }, cause)
      } catch (error) {
        memory.rollback(mark)
        this.derived = before
        if (!(error instanceof Unloaded) || reads === MOST_READS) throw error
        await this.loader.need(memory, error.need)
      }
    }
  }

  /** A fault of a rule refuses the event that met it, and stops nothing behind it (I5). */
  private fail(event: HubEvent, error: unknown): never {
    if (error instanceof StoreUnavailable || error instanceof HubError) throw error
    this.context.log.error({ err: error, type: event.type, event: event.id }, 'an event could not be folded')
    throw new HubError('INTERNAL_ERROR', 'The event could not be folded into the state.')
  }

  private keep(memory: Memory, chain: Chain): JournalAppend[] {
    const appends = chain.events.map((event) => appendOf(event))
    for (const { kind, id, before, event } of chain.touched) {
      const key = `${memory.project} ${kind} ${id}`
      const touched = this.touched.get(key)
      if (touched) touched.append = appends[event]!
      else this.touched.set(key, { project: memory.project, kind, id, before, append: appends[event]! })
    }
    for (const [name, due] of chain.timers) this.timers.set(name, due)
    return appends
  }

  private write({ project, kind, id, before }: Touched, append: number): EntityWrite[] {
    const after = this.memories.get(project)!.get<Kind>(kind, id)
    const left = before ? indexTerms(kind, before) : []
    const entered = after ? indexTerms(kind, after) : []
    const base = { project, kind, id, append }
    if (before && (!after || before.createdAt !== after.createdAt)) {
      const gone = { ...base, place: placeOf(id, before.createdAt), json: null, add: [], remove: left }
      // Forgotten and made anew in one commit: another place, and so another entry of the indexes.
      return after ? [gone, { ...base, place: placeOf(id, after.createdAt), json: JSON.stringify(after), add: entered, remove: [] }] : [gone]
    }
    if (!after) return []
    const add = entered.filter((term) => !left.includes(term))
    const remove = left.filter((term) => !entered.includes(term))
    return [{ ...base, place: placeOf(id, after.createdAt), json: JSON.stringify(after), add, remove }]
  }
}

function isEnded(entity: Entity | undefined): boolean {
  return entity !== undefined && 'finishedAt' in entity
}

export function appendOf(event: HubEvent): JournalAppend {
  return { seen: '', event: JSON.stringify(event), topics: event.topics.map((topic) => topicKey(event.project, topic)) }
}
