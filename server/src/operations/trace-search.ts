/**
 * Looking through the journal for what no index knows: an event by its id, its causes, what followed from it. In short steps, so that
 * the store holds up nobody, and with a budget for the whole, so that one question costs only so much.
 */
import { setTimeout as rest } from 'node:timers/promises'
import { formatCursor, isOffset, ORIGIN, parseCursor, type DerivedEvent, type HubEvent, type Offset, type TracedEvent } from '@hubbub/protocol'
import type { Provenance, TracedEntry } from '../store/port.js'

/** An entry, with its event parsed. */
export interface FoundEvent {
  entry: TracedEntry
  event: HubEvent
}

export interface SearchDeps {
  provenance: Provenance
  partition: number
  /** Whether the asker may know of it (I6). What he may not is gone past as if it were another event. */
  sees: (event: HubEvent) => boolean
  /** Entries to look through. */
  entries: number
}

const STEP_ENTRIES = 500
/** A step over large events ends at its bytes, and costs as much as so many. */
const STEP_LEAST = 100
/** Between two steps, so many times as long as the last one took: the store does nothing else meanwhile, and others need it. At most so many ms. */
const REST = { times: 2, most: 20 }
/** Causes told of, and events that followed. */
const MOST_CAUSES = 50
const MOST_DERIVED = 1000

export class Search {
  looked = 0
  /** Of what was looked at for the event, the oldest. */
  oldest?: Offset
  /** The journal's beginning was reached. */
  complete = false
  private budget: number
  private restMs = 0

  constructor(private readonly deps: SearchDeps) {
    this.budget = deps.entries
  }

  /** @param named an id, a cursor, or an offset */
  async find(named: string): Promise<FoundEvent | undefined> {
    return (await this.at(named)) ?? (await this.back(named, undefined))
  }

  /** What it follows from, the nearest first; `missing` is the id at which the chain breaks off. */
  async causes({ entry, event }: FoundEvent): Promise<{ found: TracedEvent[]; missing?: string }> {
    const found: TracedEvent[] = []
    const known = new Set([event.id])
    let from = entry.offset
    for (let cause = event.metadata.causationId; cause !== undefined; ) {
      // A due time is no event.
      const next = cause.startsWith('timer:') || known.has(cause) || found.length === MOST_CAUSES ? undefined : await this.back(cause, from)
      if (!next) return { found, missing: cause }
      known.add(cause)
      found.push(tracedOf(next))
      from = next.entry.offset
      cause = next.event.metadata.causationId
    }
    return { found }
  }

  /** What followed from it, each with what followed from that. */
  async derived({ entry, event }: FoundEvent): Promise<{ found: DerivedEvent[]; complete: boolean }> {
    const root: DerivedEvent[] = []
    const branches = new Map<string, DerivedEvent[]>([[event.id, root]])
    for (let from = entry.offset; this.budget > 0 && branches.size <= MOST_DERIVED; ) {
      const step = await this.step('causation', [...branches.keys()], from)
      for (const one of step.found.map(parsed)) {
        const branch = branches.get(one.event.metadata.causationId ?? '')
        if (!branch || branches.has(one.event.id) || !this.deps.sees(one.event)) continue
        const grown = { ...tracedOf(one), derived: [] }
        branch.push(grown)
        branches.set(one.event.id, grown.derived)
      }
      if (step.isEnd || step.reached === undefined) return { found: root, complete: true }
      from = step.reached
    }
    return { found: root, complete: false }
  }

  private async at(named: string): Promise<FoundEvent | undefined> {
    const cursor = parseCursor(named)
    const offset = offsetNamed(named)
    const entry = offset === undefined ? null : await this.deps.provenance.at(this.deps.partition, offset)
    // The same offset of a branch that was lost is another event.
    if (!entry || (cursor && cursor.epoch !== entry.epoch)) return undefined
    const found = parsed(entry)
    return this.deps.sees(found.event) ? found : undefined
  }

  private async back(id: string, before: Offset | undefined): Promise<FoundEvent | undefined> {
    for (let from = before; this.budget > 0; ) {
      const step = await this.step('id', [id], from)
      const found = step.found.map(parsed).find(({ event }) => event.id === id && this.deps.sees(event))
      if (found) return found
      this.oldest = step.reached ?? this.oldest
      if (step.isEnd || step.reached === undefined) {
        this.complete = true
        return undefined
      }
      from = step.reached
    }
    return undefined
  }

  private async step(by: 'id' | 'causation', ids: readonly string[], from: Offset | undefined) {
    if (this.restMs > 0) await rest(this.restMs)
    const began = performance.now()
    const step = await this.deps.provenance.look(this.deps.partition, { by, ids, from, count: STEP_ENTRIES })
    this.restMs = Math.min(REST.most, REST.times * (performance.now() - began))
    this.looked += step.looked
    this.budget -= Math.max(STEP_LEAST, step.looked)
    return step
  }
}

/** The place that a cursor or an offset names; undefined for anything else. */
export function offsetNamed(named: string): Offset | undefined {
  const offset = parseCursor(named)?.offset ?? (isOffset(named) ? named : undefined)
  return offset === ORIGIN ? undefined : offset
}

export function tracedOf({ entry, event }: FoundEvent): TracedEvent {
  return { id: event.id, type: event.type, cursor: formatCursor(entry.epoch, entry.offset) }
}

function parsed(entry: TracedEntry): FoundEvent {
  return { entry, event: JSON.parse(entry.event) as HubEvent }
}
